terraform {
  required_providers {
    heygen = {
      source  = "terraform.local/heygen/heygen"
      version = "~> 0.1"
    }
  }
}

# More patience with a slow network than by default. The key comes from the environment.
provider "heygen" {
  max_retries     = 8
  request_timeout = "1m"
}
