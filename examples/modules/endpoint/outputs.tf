output "id" {
  description = "HeyGen's id of the endpoint."
  value       = heygen_webhook_endpoint.this.id
}

output "secret" {
  description = "What the receiver verifies signatures with. Null after an import, until rotate_trigger gets a value."
  value       = heygen_webhook_endpoint.this.secret
  sensitive   = true
}

output "status" {
  description = "enabled or disabled."
  value       = heygen_webhook_endpoint.this.status
}
