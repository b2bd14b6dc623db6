# All endpoints of the account, up to a thousand: without limit, Terraform stops at a hundred.
list "heygen_webhook_endpoint" "all" {
  provider = heygen
  limit    = 1000
}

# Those that still receive an event type below one address, with all that is known of them. Each filter is optional.
list "heygen_webhook_endpoint" "of_videos" {
  provider         = heygen
  include_resource = true

  config {
    url_prefix = "https://hooks.example.com/"
    event      = "avatar_video.success"
    status     = "enabled"
  }
}
