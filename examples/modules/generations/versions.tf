terraform {
  required_version = ">= 1.8"

  required_providers {
    heygen = {
      source  = "terraform.local/heygen/heygen"
      version = ">= 0.1.0"
    }
  }
}
