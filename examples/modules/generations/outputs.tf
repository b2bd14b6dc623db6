output "secrets" {
  description = "Each generation's secret by its number. A receiver accepts what any of them has signed."
  value       = { for n, endpoint in heygen_webhook_endpoint.generation : n => endpoint.secret }
  sensitive   = true
}

output "endpoints" {
  description = "Each generation's id, url and status by its number."
  value = {
    for n, endpoint in heygen_webhook_endpoint.generation : n => {
      id     = endpoint.id
      url    = endpoint.url
      status = endpoint.status
    }
  }
}
