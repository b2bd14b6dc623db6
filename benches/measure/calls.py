"""What one call costs of a refresh, a plan and an apply that need no call of HeyGen's.

What is read anew is in the list that the provider has walked before, and what is applied is a change that HeyGen does not
know of. So what is beyond the provider that does nothing is ours.
"""

import json
import os

from . import counts
from .fake import Fake
from .figures import Figure, Target
from .programs import said

CALLS, ENDPOINTS = 4_000, 100
"""So many calls of each kind are made, about so many endpoints."""
LIST_CALLS = 50
"""So many other calls of the API may be made. The provider walks the list anew every half minute."""

OURS, FLOOR = "heygen_webhook_endpoint", "nothing_endpoint"

TARGET = 1.25
"""How many times as long as the provider that does nothing the median may take."""


def measure(programs, figures):
    """Appends the figures of this part to `figures`."""
    counts.measure(programs, figures)
    times(programs, figures)


def times(programs, figures):
    """What calls take, by the clock of the host."""
    named = [f"{OURS}={programs.provider}", f"{FLOOR}={programs.do_nothing}"]
    with Fake(programs.fake_heygen) as fake:
        command = [programs.host, "calls", "--calls", str(CALLS), "--endpoints", str(ENDPOINTS), *named]
        measured = json.loads(said(*command, environment={**os.environ, **fake.environment}))
        requests = fake.requests()
    created = requests.count("create")
    if created != ENDPOINTS or len(requests) - created > LIST_CALLS:
        raise RuntimeError(f"{len(requests)} calls of the API were made, which would be measured with ours")

    def of(provider):
        return {(one["call"], one["in_flight"]): one for one in measured if one["provider"] == provider}

    floors = of(FLOOR)
    for (call, in_flight), ours in of(OURS).items():
        floor = floors[call, in_flight]
        target = Target(f"at most {TARGET} × do-nothing", ours["p50"] <= TARGET * floor["p50"])
        for share, held_to in (("p50", target), ("p99", None)):
            what = f"{call}, {in_flight} in flight: {share}"
            figures.append(Figure(what, "µs", ours[share], {"do-nothing": floor[share]}, held_to, ours["calls"]))
