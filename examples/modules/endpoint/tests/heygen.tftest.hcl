# With the real provider: HEYGEN_API_BASE and HEYGEN_API_KEY say whether it speaks to HeyGen or to the fake of its API.
# The endpoint that this makes is deleted at the end.

variables {
  url    = "https://hooks.example.com/heygen"
  events = ["avatar_video.success"]
}

run "create" {
  assert {
    condition     = output.status == "enabled" && length(output.id) > 0
    error_message = "The endpoint should exist and be enabled."
  }
  assert {
    condition     = startswith(output.secret, "whsec_") && issensitive(output.secret)
    error_message = "The secret should be handed on, and be sensitive."
  }
}

run "remember" {
  module {
    source = "./tests/same"
  }

  variables {
    now = { id = run.create.id, secret = run.create.secret }
  }
}

run "edit" {
  variables {
    url    = "https://hooks.example.com/v2"
    events = null
  }

  assert {
    condition     = heygen_webhook_endpoint.this.url == var.url && heygen_webhook_endpoint.this.events == null
    error_message = "The endpoint should be edited."
  }
}

run "an_edit_keeps_the_endpoint_and_its_secret" {
  module {
    source = "./tests/same"
  }

  variables {
    now = { id = run.edit.id, secret = run.edit.secret }
  }

  assert {
    condition     = var.now.id == output.first.id && var.now.secret == output.first.secret
    error_message = "Neither the endpoint nor its secret should be replaced."
  }
}

run "rotate" {
  variables {
    url            = "https://hooks.example.com/v2"
    events         = null
    rotate_trigger = "leaked"
  }
}

run "a_rotation_keeps_the_endpoint_only" {
  module {
    source = "./tests/same"
  }

  variables {
    now = { id = run.rotate.id, secret = run.rotate.secret }
  }

  assert {
    condition     = var.now.id == output.first.id && var.now.secret != output.first.secret
    error_message = "The endpoint should stay, and its secret should be another."
  }
}
