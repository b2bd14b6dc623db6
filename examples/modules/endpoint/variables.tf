variable "url" {
  description = "Where HeyGen delivers: a public https URL. HeyGen calls it first, so the receiver has to be up."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("(?i)^https://[^/?#@\\s]+([/?][^#\\s]*)?$", var.url))
    error_message = "url must be an https URL without user name and fragment, such as https://hooks.example.com/heygen."
  }
}

variable "events" {
  description = "The event types that are delivered. Null means all of them, those included that HeyGen adds later."
  type        = set(string)
  default     = null

  validation {
    condition     = var.events == null ? true : length(var.events) > 0
    error_message = "Without any event nothing would be delivered. Leave events out for all of them, or name one."
  }
}

variable "entity_id" {
  description = "The one thing whose events are delivered. A change replaces the endpoint, and its secret with it."
  type        = string
  default     = null
}

variable "rotate_trigger" {
  description = "Any new value rotates the secret, and the old one stops working at once. For a secret that has leaked."
  type        = string
  default     = null
}

variable "replace_when_disabled" {
  description = "Whether an endpoint that HeyGen disabled is replaced: the new one has another id and another secret."
  type        = bool
  default     = null
}
