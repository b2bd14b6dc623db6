variable "webhook_secret" {
  type      = string
  sensitive = true
}

locals {
  # The body as it is sent, byte for byte: one more space, and the signature is another one.
  body = jsonencode({
    event_type = "avatar_video.success"
    event_data = { video_id = "v-1" }
  })
}

# What Heygen-Signature has to be when a receiver is tried out with a delivery made by hand.
output "heygen_signature" {
  value = nonsensitive(provider::heygen::webhook_signature(var.webhook_secret, local.body))
}
