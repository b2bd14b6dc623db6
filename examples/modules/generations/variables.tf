variable "url" {
  description = "Where HeyGen delivers: a public https URL, to which the module adds the parameter generation."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("(?i)^https://[^/?#@\\s]+([/?][^#\\s]*)?$", var.url))
    error_message = "url must be an https URL without user name and fragment, such as https://hooks.example.com/heygen."
  }
  validation {
    condition     = !can(regex("[?&]generation=", var.url))
    error_message = "The module adds the parameter generation to the URL: leave it out of url."
  }
}

variable "generations" {
  description = "The numbers of the endpoints that exist: [1], during a rotation [1, 2], and then [2]."
  type        = set(number)
  default     = [1]
  nullable    = false

  validation {
    condition     = length(var.generations) > 0
    error_message = "Without any generation nothing would be delivered. To end deliveries, remove the module."
  }
  validation {
    condition     = alltrue([for n in var.generations : n == null ? false : n >= 1 && floor(n) == n])
    error_message = "A generation is a whole number from 1 on."
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
  description = "The one thing whose events are delivered. A change replaces all generations, and their secrets."
  type        = string
  default     = null
}

variable "replace_when_disabled" {
  description = "Whether an endpoint that HeyGen disabled is replaced: the new one has another id and another secret."
  type        = bool
  default     = null
}
