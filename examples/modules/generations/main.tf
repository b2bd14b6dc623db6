locals {
  # Each generation has a URL of its own: whether two endpoints may share one is not known, and the receiver sees by the
  # parameter which secret has signed.
  url_without_number = "${var.url}${strcontains(var.url, "?") ? "&" : "?"}generation="
  urls               = { for n in var.generations : tostring(n) => "${local.url_without_number}${n}" }
}

resource "heygen_webhook_endpoint" "generation" {
  for_each = local.urls

  url                   = each.value
  events                = var.events
  entity_id             = var.entity_id
  replace_when_disabled = var.replace_when_disabled
}

# What HeyGen has before anything is changed. Where it delivers to generations, one of them has to stay until the next
# apply: if all went in the apply that makes their successor, no receiver could have its secret in time.
data "heygen_webhook_endpoints" "before" {
  url_prefix = local.url_without_number

  lifecycle {
    postcondition {
      condition = (
        alltrue([for e in self.endpoints : e.status != "enabled"])
        || anytrue([for e in self.endpoints : e.status == "enabled" && contains(values(local.urls), e.url)])
      )
      error_message = <<-EOT
        HeyGen delivers to ${join(", ", [for e in self.endpoints : e.url if e.status == "enabled"])}, and none of
        these would be left: deliveries would end before a receiver can have the secret of another generation. Keep
        one of them in generations beside the new number and apply, give receivers the new secret, and then leave the
        old number out and apply again. If these endpoints are not this module's, give it a url of its own.
      EOT
    }
  }
}
