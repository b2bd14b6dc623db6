resource "heygen_webhook_endpoint" "this" {
  url                   = var.url
  events                = var.events
  entity_id             = var.entity_id
  rotate_trigger        = var.rotate_trigger
  replace_when_disabled = var.replace_when_disabled
}
