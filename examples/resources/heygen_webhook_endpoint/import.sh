# The id is HeyGen's endpoint_id of the endpoint.
terraform import heygen_webhook_endpoint.videos ep_8kq2mZt4VbR7nXw1Lc5D
