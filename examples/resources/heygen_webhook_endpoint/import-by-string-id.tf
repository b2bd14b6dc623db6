import {
  to = heygen_webhook_endpoint.videos
  id = "ep_8kq2mZt4VbR7nXw1Lc5D"
}
