"""Calls over https, and many of them under a limit of HeyGen's rate."""

import json
import os
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import local_provider

from .engine import Engine
from .fake import Certificate, Fake
from .figures import Figure, Target, median
from .programs import said

CALLS = 1000
"""So many calls are made one after the other."""
STARTS = 25
"""So often the first of them is made."""

ENDPOINTS = 200
LIMIT = {"per_second": 10, "burst": 10, "retry_after": 1}
PARALLELISM = 10
AT_MOST = 1.1
"""How many times as long as the limit allows an apply of one process may take. Of two, which know nothing of each other,
one may be left alone at the end at half the rate."""

ONE_PROCESS = "one process"

SETTINGS = """\
terraform {{
  required_providers {{
    heygen = {{ source = "{source}" }}
  }}
}}
"""

ONE_ACCOUNT = """
resource "heygen_webhook_endpoint" "all" {{
  count  = {count}
  url    = "https://hooks-${{count.index}}.example.com/heygen"
  events = ["avatar_video.success", "avatar_video.fail"]
}}
"""

# Each alias is a process of its own. Here both have the same key, as two runs of a pipeline have it.
TWO_ALIASES = """
provider "heygen" {{}}

provider "heygen" {{
  alias = "other"
}}

resource "heygen_webhook_endpoint" "all" {{
  count  = {count}
  url    = "https://hooks-${{count.index}}.example.com/heygen"
  events = ["avatar_video.success", "avatar_video.fail"]
}}

resource "heygen_webhook_endpoint" "others" {{
  provider = heygen.other
  count    = {count}
  url      = "https://others-${{count.index}}.example.com/heygen"
  events   = ["avatar_video.success", "avatar_video.fail"]
}}
"""


def measure(programs, figures):
    """Appends the figures of this part to `figures`."""
    with tempfile.TemporaryDirectory(prefix="heygen-bench-") as scratch:
        certificate = Certificate(Path(scratch) / "certificate")
        with Fake(programs.fake_heygen, certificate) as fake:
            figures.extend(over_https(programs, fake))
    limits(programs, figures)


def over_https(programs, fake):
    """The first call to a server, and later ones, beside a client that makes the same calls for nobody."""
    environment = {**os.environ, **fake.environment}
    # Or the bare client would trust more than the provider, and read more.
    environment.pop("SSL_CERT_DIR", None)

    def made(calls):
        command = [programs.host, "http", "--calls", str(calls), f"provider={programs.provider}"]
        return {one["client"]: one for one in json.loads(said(*command, environment=environment))}

    starts = [made(1) for _ in range(STARTS)]
    ours, bare = (median([start[client]["first"] for start in starts]) for client in ("provider", "bare client"))
    yield Figure("first call over https", "ms", ours, {"bare client": bare}, runs=STARTS)
    fake.forget_requests()
    later = made(CALLS)
    ours, bare = (later[client]["later"] for client in ("provider", "bare client"))
    yield Figure(f"median of calls {CALLS // 2} to {CALLS} over https", "ms", ours, {"bare client": bare}, runs=CALLS // 2)
    calls = [call for call in fake.call("GET", "requests") if call["user_agent"].startswith("terraform-provider")]
    if len(calls) != CALLS or any(call["status"] != 200 for call in calls):
        raise RuntimeError(f"{len(calls)} calls arrived, or not all of them went well")
    connections = len({call["connection"] for call in calls})
    yield Figure(f"connections for {CALLS} calls", "", connections, target=Target("one", connections == 1))
    second = sum(call["version"] == "HTTP/2.0" for call in calls)
    yield Figure("of these calls over HTTP/2", "", second, target=Target("all", second == CALLS))


def limits(programs, figures):
    """Many creations under a limit of the rate."""
    source = local_provider.source()
    with tempfile.TemporaryDirectory(prefix="heygen-bench-") as scratch:
        scratch = Path(scratch)
        engine = Engine(scratch, {source: programs.provider})
        certificate = Certificate(scratch / "certificate")
        settings = SETTINGS.format(source=source)
        for what, name, resources, count in (
            (ONE_PROCESS, "one", ONE_ACCOUNT, ENDPOINTS),
            ("two processes", "two", TWO_ALIASES, ENDPOINTS // 2),
        ):
            workspace = engine.workspace(name, settings + resources.format(count=count))
            with Fake(programs.fake_heygen, certificate) as fake:
                fake.call("PATCH", "behaviour", {"rate_limit": LIMIT})
                run = under_the_limit(workspace, fake)
            figures.extend(figures_of(what, run))


@dataclass
class Run:
    """What became of one apply under the limit."""

    wall: float
    """Seconds from the first call to the last."""
    refused: int
    """Calls that were answered 429."""
    failures: int
    """Endpoints that the apply did not create."""
    waits: list
    """Seconds from each refusal to the next attempt of the same call."""
    attempts: Counter
    """How many calls took how many attempts."""


def under_the_limit(workspace, fake):
    """Applies, and reads in the fake's log what happened."""
    program = workspace.engine.program
    command = [program, "apply", "-auto-approve", f"-parallelism={PARALLELISM}"]
    environment = {**workspace.engine.environment, **fake.environment}
    output = (workspace.folder / "output.txt").open("w")
    with output:
        # An apply of which a part fails is a figure too.
        subprocess.run(
            command, cwd=workspace.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    created = len(fake.call("GET", "endpoints"))
    calls = [call for call in fake.call("GET", "requests") if call["route"] == "create"]
    attempts = {}
    for call in calls:
        attempts.setdefault(call["idempotency_key"], []).append(call)
    waits = []
    for tries in attempts.values():
        waits += [
            (after["arrived_ms"] - before["arrived_ms"]) / 1000
            for before, after in zip(tries, tries[1:])
            if before["status"] == 429
        ]
    return Run(
        wall=(calls[-1]["arrived_ms"] - calls[0]["arrived_ms"]) / 1000,
        refused=sum(call["status"] == 429 for call in calls),
        failures=ENDPOINTS - created,
        waits=waits,
        attempts=Counter(len(tries) for tries in attempts.values()),
    )


def figures_of(what, run):
    allowed = (ENDPOINTS - LIMIT["burst"]) / LIMIT["per_second"]
    name = f"{ENDPOINTS} created under {LIMIT['per_second']}/s, {what}"
    yield Figure(
        f"{name}: time",
        "s",
        run.wall,
        {"the limit allows": allowed},
        Target(f"at most ×{AT_MOST}", run.wall <= AT_MOST * allowed) if what == ONE_PROCESS else None,
    )
    yield Figure(f"{name}: failures", "", run.failures, target=Target("none", run.failures == 0))
    yield Figure(f"{name}: calls refused", "", run.refused)
    yield Figure(f"{name}: most attempts of one call", "", max(run.attempts))
    for least, most in ((0, 1), (1, 1.25), (1.25, 1.5), (1.5, 2), (2, 4), (4, 30.5)):
        count = sum(least <= wait < most for wait in run.waits)
        yield Figure(f"{name}: waits of {least} to {most} s after a refusal", "", count)
