# What an endpoint can ask for, with what HeyGen says of each type.
data "heygen_webhook_event_types" "all" {}

output "events_of_failures" {
  value = {
    for type in data.heygen_webhook_event_types.all.event_types : type.event_type => type.description
    if endswith(type.event_type, ".fail")
  }
}
