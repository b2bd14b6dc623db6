# Refused: no argument may be null, as the secret of an imported endpoint is until it is rotated.
output "without_a_secret" {
  value = provider::heygen::webhook_signature(null, local.body)
}
