# An endpoint that is managed elsewhere. It must be the only one with this URL.
data "heygen_webhook_endpoint" "by_url" {
  url = "https://hooks.example.com/heygen"
}

# Or the one with this id.
data "heygen_webhook_endpoint" "by_id" {
  id = "ep_8kq2mZt4VbR7nXw1Lc5D"
}
