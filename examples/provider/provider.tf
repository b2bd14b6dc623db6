terraform {
  required_providers {
    heygen = {
      source  = "terraform.local/heygen/heygen"
      version = "~> 0.1"
    }
  }
}

# The key comes from the environment variable HEYGEN_API_KEY.
provider "heygen" {}
