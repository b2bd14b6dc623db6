"""How long an engine waits for the process: from spawning it to its handshake line, and to its schema.

Each program is started in turn, over the mutual TLS that an engine asks for. The time to the schema holds what the host
itself computes for its side of TLS, which is nearly a third of it; so it stands there without that too.
"""

import json

from .figures import Figure, Target, median
from .programs import said

RUNS = 100

HANDSHAKE_TARGET, SCHEMA_TARGET = 1.0, 2.2
"""How many milliseconds after the program that does nothing has ended."""
SIZE_TARGET = 6
"""In megabytes."""

OURS, EMPTY = "heygen", "empty"


def measure(programs, figures):
    """Appends the figures of this part to `figures`."""
    providers = {OURS: programs.provider, "do-nothing": programs.do_nothing, **programs.others}
    named = [f"{name}={binary}" for name, binary in {**providers, EMPTY: programs.empty}.items()]
    starts = json.loads(said(programs.host, "start", "--runs", str(RUNS), *named))
    nothing = {EMPTY: median(starts[EMPTY]["first_line"])}

    def each(of):
        return {name: median(of(starts[name])) for name in providers}

    def after_nothing(milliseconds, values):
        target = f"at most {milliseconds} ms more than {EMPTY}"
        return Target(target, values[OURS] - nothing[EMPTY] <= milliseconds)

    def add(what, unit, values, target=None, runs=RUNS):
        beside = {name: value for name, value in values.items() if name != OURS}
        figures.append(Figure(what, unit, values[OURS], beside, target, runs))

    handshake = each(lambda start: start["first_line"])
    add("spawn to handshake line", "ms", {**handshake, **nothing}, after_nothing(HANDSHAKE_TARGET, handshake))
    add("spawn to schema", "ms", each(lambda start: start["schema"]))
    schema = each(lambda start: [whole - host for whole, host in zip(start["schema"], start["host"])])
    what = "spawn to schema, without the host's own work"
    add(what, "ms", {**schema, **nothing}, after_nothing(SCHEMA_TARGET, schema))
    add("CPU of the process by then", "ms", each(lambda start: start["processor"]))
    add("memory of the process by then, at most", "MB", each(lambda start: [used / 1e6 for used in start["memory"]]))
    add("Shutdown to the end of the process", "ms", each(lambda start: start["end"]))
    size = {name: binary.stat().st_size / 1e6 for name, binary in providers.items()}
    add("size of the binary", "MB", size, Target(f"at most {SIZE_TARGET} MB", size[OURS] <= SIZE_TARGET), runs=1)
