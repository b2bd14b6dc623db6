# Without HeyGen, credentials or network: what the module makes of its variables.

mock_provider "heygen" {
  mock_resource "heygen_webhook_endpoint" {
    defaults = {
      id         = "ep_mocked"
      secret     = "whsec_mocked"
      status     = "enabled"
      created_at = "2026-07-01T12:00:00Z"
    }
  }
}

variables {
  url = "https://hooks.example.com/heygen"
}

run "only_a_url" {
  assert {
    condition     = heygen_webhook_endpoint.this.url == var.url && heygen_webhook_endpoint.this.events == null
    error_message = "The endpoint should be at the URL and receive all events."
  }
  assert {
    condition     = output.id == "ep_mocked" && output.status == "enabled" && output.secret == "whsec_mocked"
    error_message = "The outputs should be the endpoint's."
  }
  assert {
    condition     = issensitive(output.secret)
    error_message = "The secret should be sensitive."
  }
}

run "everything" {
  command = plan

  variables {
    events                = ["avatar_video.success", "avatar_video.fail"]
    entity_id             = "project-7"
    rotate_trigger        = "2026-12"
    replace_when_disabled = true
  }

  assert {
    condition = (
      heygen_webhook_endpoint.this.events == toset(["avatar_video.fail", "avatar_video.success"])
      && heygen_webhook_endpoint.this.entity_id == "project-7"
      && heygen_webhook_endpoint.this.rotate_trigger == "2026-12"
      && heygen_webhook_endpoint.this.replace_when_disabled
    )
    error_message = "Every variable should reach its argument."
  }
}

run "http_is_refused" {
  command         = plan
  expect_failures = [var.url]

  variables {
    url = "http://hooks.example.com/heygen"
  }
}

run "user_names_are_refused" {
  command         = plan
  expect_failures = [var.url]

  variables {
    url = "https://name:word@hooks.example.com/heygen"
  }
}

run "fragments_are_refused" {
  command         = plan
  expect_failures = [var.url]

  variables {
    url = "https://hooks.example.com/heygen#top"
  }
}

run "no_events_at_all_are_refused" {
  command         = plan
  expect_failures = [var.events]

  variables {
    events = []
  }
}
