# Holds what the module answered in two runs, for assertions to compare: OpenTofu knows the outputs of an earlier run in
# the variables of a run, and not in its assertions.

variable "before" {
  type      = object({ id = string, secret = string })
  sensitive = true
}

variable "after" {
  type      = object({ id = string, secret = string })
  sensitive = true
}
