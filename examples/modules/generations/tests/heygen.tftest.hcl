# With the real provider: HEYGEN_API_BASE and HEYGEN_API_KEY say whether it speaks to HeyGen or to the fake of its API.
# The endpoints that this makes are deleted at the end.

variables {
  url = "https://hooks.example.com/heygen"
}

run "the_first_generation" {
  assert {
    condition     = join(",", keys(output.secrets)) == "1" && output.endpoints["1"].status == "enabled"
    error_message = "There should be generation 1."
  }
}

run "remember" {
  module {
    source = "./tests/same"
  }

  variables {
    now = run.the_first_generation.secrets
  }
}

run "a_leap_to_the_next_generation_is_refused" {
  command         = plan
  expect_failures = [data.heygen_webhook_endpoints.before]

  variables {
    generations = [2]
  }
}

run "both_are_alive" {
  variables {
    generations = [1, 2]
  }

  assert {
    condition     = length(distinct(values(output.secrets))) == 2 && issensitive(output.secrets)
    error_message = "There should be two secrets."
  }
  assert {
    condition     = alltrue([for e in output.endpoints : e.status == "enabled"])
    error_message = "Both generations should be enabled."
  }
}

run "the_first_one_keeps_its_secret_beside_the_second" {
  module {
    source = "./tests/same"
  }

  variables {
    now = run.both_are_alive.secrets
  }

  assert {
    condition     = var.now["1"] == output.first["1"]
    error_message = "The secret of generation 1 should stay what it is."
  }
}

run "the_second_one_alone" {
  variables {
    generations = [2]
  }

  assert {
    condition     = join(",", keys(output.secrets)) == "2"
    error_message = "There should be generation 2 only."
  }
}

run "it_keeps_its_secret_too" {
  module {
    source = "./tests/same"
  }

  variables {
    now = run.the_second_one_alone.secrets
  }

  assert {
    condition     = var.now["2"] == output.first["2"]
    error_message = "The secret of generation 2 should stay what it is."
  }
}
