variable "webhook_secret" {
  type      = string
  sensitive = true
}

variable "delivery" {
  description = "A delivery as the receiver has logged it: its body, and its header Heygen-Signature."
  type = object({
    body      = string
    signature = string
  })
}

# Whether it was signed with this secret.
output "is_from_heygen" {
  value = nonsensitive(
    provider::heygen::verify_webhook_signature(var.webhook_secret, var.delivery.body, var.delivery.signature)
  )
}

# What is no signature at all is false as well, and no error.
output "is_from_heygen_without_signature" {
  value = nonsensitive(provider::heygen::verify_webhook_signature(var.webhook_secret, var.delivery.body, ""))
}
