"""Instructions and allocations of a call: figures that a busy machine does not move.

Instructions are counted by callgrind, as the difference between a run of N calls and one of 2N, so that starting the
program and reading the list once are not in it. All of it runs in one thread, so that two counts are the same to a few in
ten thousand. They depend on the compiler and on the CPU, whose best instructions the C library chooses, so the file of
known counts names both. `scripts/bench --counts` writes it anew.
"""

import json
import os
import re
import shutil
import subprocess

from .figures import Figure, Target, machine
from .programs import ROOT

CALLS = ["validate", "upgrade", "read", "plan", "apply"]

# What an engine asks about each resource when it refreshes and finds nothing to change.
REFRESH = ["validate", "upgrade", "read", "plan"]

TIMES = 1_000

# By how much a count may differ from the known one.
TOLERANCE = 0.02

KNOWN = ROOT / "benches/counts.json"


def measure(programs, figures):
    counts = count_each(programs.count)
    known = json.loads(KNOWN.read_text())
    for what in ("instructions", "allocations"):
        found = {call: counts[call][what] for call in CALLS}
        before = {call: known["calls"][call][what] for call in CALLS}
        for name, value, expected in [
            *((call, found[call], before[call]) for call in CALLS),
            ("a refresh in all", total(found), total(before)),
        ]:
            met = abs(value - expected) <= TOLERANCE * expected
            target = Target(f"as benches/counts.json has it, ±{TOLERANCE:.0%}", met)
            figures.append(Figure(f"{what}, {name}", "", value, {"known": expected}, target))


def total(counts):
    return sum(counts[call] for call in REFRESH)


def write(programs):
    """Writes what is counted now to the file of known counts."""
    calls = count_each(programs.count)
    now = machine()
    known = {"rustc": now["rustc"], "cpu": now["cpu"], "calls": calls}
    KNOWN.write_text(json.dumps(known, indent=2) + "\n")


def count_each(program):
    counter = valgrind()
    return {call: count(counter, program, call) for call in CALLS}


def count(counter, program, call):
    once, twice = (instructions(counter, program, call, times) for times in (TIMES, 2 * TIMES))
    allocations = subprocess.run([program, call, str(TIMES)], stdout=subprocess.PIPE, check=True, text=True).stdout
    return {"instructions": round((twice - once) / TIMES), "allocations": round(float(allocations), 1)}


def valgrind():
    """The machine's own, or the one that the set-up brings."""
    subprocess.run([ROOT / "scripts/setup", "valgrind"], stdout=subprocess.DEVNULL, check=True)
    return shutil.which("valgrind") or ROOT / ".tools/valgrind/bin/valgrind"


def instructions(counter, program, call, times):
    """How many instructions the program executes for so many calls, all in all."""
    command = [counter, "--tool=callgrind", f"--callgrind-out-file={os.devnull}", program, call, str(times)]
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not collected:
        raise SystemExit(f"valgrind could not count {call}:\n{ran.stderr}")
    return int(collected[1])
