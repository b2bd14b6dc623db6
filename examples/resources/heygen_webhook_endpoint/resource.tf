# Two types of events, delivered to one receiver.
resource "heygen_webhook_endpoint" "videos" {
  url    = "https://hooks.example.com/heygen"
  events = ["avatar_video.success", "avatar_video.fail"]
}
