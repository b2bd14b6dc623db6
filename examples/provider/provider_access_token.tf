terraform {
  required_providers {
    heygen = {
      source  = "terraform.local/heygen/heygen"
      version = "~> 0.1"
    }
  }
}

variable "heygen_access_token" {
  description = "An OAuth access token for HeyGen's API. It has to be valid for as long as Terraform runs."
  type        = string
  sensitive   = true
}

provider "heygen" {
  access_token = var.heygen_access_token
}
