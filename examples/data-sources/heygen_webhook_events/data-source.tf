# Events of videos that failed. The particulars of each are JSON.
data "heygen_webhook_events" "failed_videos" {
  event_type = "avatar_video.fail"
  limit      = 20
}

output "failed_videos" {
  value = [for event in data.heygen_webhook_events.failed_videos.events : jsondecode(event.event_data).video_id]
}
