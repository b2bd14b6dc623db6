# Remembers the secret that each generation had at first, for later runs to compare: OpenTofu knows the outputs of no other
# run than the last, and only in variables.

variable "now" {
  type      = map(string)
  sensitive = true
}

resource "terraform_data" "first" {
  for_each = toset(nonsensitive(keys(var.now)))

  input = var.now[each.key]

  lifecycle {
    ignore_changes = [input]
  }
}

output "first" {
  value     = { for n, secret in terraform_data.first : n => secret.output }
  sensitive = true
}
