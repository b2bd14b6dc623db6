# Without events, HeyGen delivers all of them, those that it will add later included.
resource "heygen_webhook_endpoint" "everything" {
  url = "https://audit.example.com/heygen"
}
