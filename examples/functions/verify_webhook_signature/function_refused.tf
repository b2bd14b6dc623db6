# Refused: no argument may be null. A delivery without the header Heygen-Signature has an empty text instead.
output "without_the_header" {
  value = provider::heygen::verify_webhook_signature(var.webhook_secret, var.delivery.body, null)
}
