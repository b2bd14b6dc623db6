# Two accounts in one configuration, each through a provider of its own. Modules have no provider block: they are given
# the account by `providers`, or have the one without an alias. The environment variables TF_VAR_production_key and
# TF_VAR_staging_key hold the keys.

terraform {
  required_version = ">= 1.8"

  required_providers {
    heygen = {
      source  = "terraform.local/heygen/heygen"
      version = ">= 0.1.0"
    }
  }
}

variable "production_key" {
  description = "The API key of the account that makes videos for customers."
  type        = string
  sensitive   = true
}

variable "staging_key" {
  description = "The API key of the account in which things are tried."
  type        = string
  sensitive   = true
}

variable "staging_receivers" {
  description = "How many receivers there are in staging."
  type        = number
  default     = 1
}

provider "heygen" {
  api_key = var.production_key
}

provider "heygen" {
  alias   = "staging"
  api_key = var.staging_key
}

# for_each: one endpoint for each team, in production.
module "team" {
  source = "../modules/endpoint"
  for_each = {
    avatars      = ["avatar_video.success", "avatar_video.fail"]
    translations = ["video_translate.success", "video_translate.fail"]
  }

  url    = "https://hooks.example.com/${each.key}"
  events = each.value
}

# count: so many endpoints in staging, or none.
module "staging" {
  source = "../modules/endpoint"
  count  = var.staging_receivers

  providers = {
    heygen = heygen.staging
  }

  url                   = "https://staging-${count.index}.example.com/heygen"
  replace_when_disabled = true
}

# What must not lose a delivery is rotated by generations: in production a rotation is under way, in staging none is.
module "billing" {
  source      = "../modules/generations"
  url         = "https://hooks.example.com/billing"
  generations = [1, 2]
  events      = ["batch.finished"]
}

module "billing_in_staging" {
  source = "../modules/generations"

  providers = {
    heygen = heygen.staging
  }

  url    = "https://staging.example.com/billing"
  events = ["batch.finished"]
}

# The secrets as receivers need them. Better than an output is a resource of a secret store that gets the same value.
output "secrets" {
  description = "The secrets by receiver; those of generations by number."
  sensitive   = true
  value = {
    production = merge(
      { for name, endpoint in module.team : name => { 1 = endpoint.secret } },
      { billing = module.billing.secrets },
    )
    staging = merge(
      { for n, endpoint in module.staging : "receiver-${n}" => { 1 = endpoint.secret } },
      { billing = module.billing_in_staging.secrets },
    )
  }
}
