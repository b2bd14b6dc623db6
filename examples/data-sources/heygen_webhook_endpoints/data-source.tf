# The endpoints below an address that receive an event type, whoever made them.
data "heygen_webhook_endpoints" "of_videos" {
  url_prefix = "https://hooks.example.com/"
  event      = "avatar_video.success"
}

# All endpoints of the account, and of them those that HeyGen has disabled.
data "heygen_webhook_endpoints" "all" {}

output "disabled_endpoints" {
  value = [for endpoint in data.heygen_webhook_endpoints.all.endpoints : endpoint.url if endpoint.status == "disabled"]
}
