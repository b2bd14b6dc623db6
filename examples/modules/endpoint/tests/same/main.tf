# Remembers what the module answered in an earlier run, for later ones to compare: OpenTofu knows the outputs of no other run
# than the last, and only in variables.

variable "now" {
  type      = object({ id = string, secret = string })
  sensitive = true
}

resource "terraform_data" "first" {
  input = var.now

  lifecycle {
    ignore_changes = [input]
  }
}

output "first" {
  value     = terraform_data.first.output
  sensitive = true
}
