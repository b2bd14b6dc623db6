# Another value rotates the secret. The old secret stops working at once.
variable "secret_generation" {
  type    = string
  default = "2026-07"
}

resource "heygen_webhook_endpoint" "rotated" {
  url            = "https://billing.example.com/heygen"
  events         = ["batch.finished"]
  rotate_trigger = var.secret_generation
}
