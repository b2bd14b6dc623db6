terraform {
  required_providers {
    heygen = {
      source  = "terraform.local/heygen/heygen"
      version = "~> 0.1"
    }
  }
}

variable "heygen_api_key" {
  description = "HeyGen's API key, from the secret store of whatever runs Terraform."
  type        = string
  sensitive   = true
}

provider "heygen" {
  api_key = var.heygen_api_key
}
