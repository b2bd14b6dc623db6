# HeyGen cannot enable a disabled endpoint again. This one is replaced then, which gives it a new id and a new secret.
resource "heygen_webhook_endpoint" "replaced_when_disabled" {
  url                   = "https://alerts.example.com/heygen"
  replace_when_disabled = true
}
