# Without HeyGen, credentials or network: what the module makes of its variables. Terraform cannot mock a list of nested
# attributes, so what the module makes of the endpoints that are there is tried in heygen.tftest.hcl.

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

run "one_generation_by_default" {
  assert {
    condition     = join(" ", [for e in output.endpoints : e.url]) == "https://hooks.example.com/heygen?generation=1"
    error_message = "There should be generation 1, with a URL of its own."
  }
  assert {
    condition     = output.secrets == { 1 = "whsec_mocked" } && issensitive(output.secrets)
    error_message = "Its secret should be handed on, and be sensitive."
  }
}

run "two_generations_at_a_url_with_a_query" {
  variables {
    url         = "https://hooks.example.com/heygen?team=studio"
    generations = [1, 2]
    events      = ["avatar_video.success", "avatar_video.fail"]
    entity_id   = "project-7"
  }

  assert {
    condition = { for n, e in output.endpoints : n => e.url } == {
      1 = "https://hooks.example.com/heygen?team=studio&generation=1"
      2 = "https://hooks.example.com/heygen?team=studio&generation=2"
    }
    error_message = "The generation should be one more parameter."
  }
  assert {
    condition = alltrue([
      for e in heygen_webhook_endpoint.generation :
      e.events == toset(["avatar_video.fail", "avatar_video.success"]) && e.entity_id == "project-7"
    ])
    error_message = "Every generation should receive the same."
  }
}

run "a_url_that_names_a_generation_is_refused" {
  command         = plan
  expect_failures = [var.url]

  variables {
    url = "https://hooks.example.com/heygen?generation=1"
  }
}

run "http_is_refused" {
  command         = plan
  expect_failures = [var.url]

  variables {
    url = "http://hooks.example.com/heygen"
  }
}

run "no_generation_is_refused" {
  command         = plan
  expect_failures = [var.generations]

  variables {
    generations = []
  }
}

run "half_a_generation_is_refused" {
  command         = plan
  expect_failures = [var.generations]

  variables {
    generations = [1, 1.5]
  }
}

run "no_events_at_all_are_refused" {
  command         = plan
  expect_failures = [var.events]

  variables {
    events = []
  }
}
