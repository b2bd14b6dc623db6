"""Figures, and the table that shows them."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field


@dataclass
class Target:
    """What a figure is held to, in words, and whether it is met."""

    words: str
    met: bool


@dataclass
class Figure:
    """One line of the table."""

    what: str
    """What was measured, such as `spawn to handshake`."""
    unit: str
    """Such as `ms`; empty for a number of things."""
    ours: float
    """The provider's figure: a median, where it was measured several times."""
    beside: dict = field(default_factory=dict)
    """What was measured beside it in the same run, by name, in the same unit."""
    target: Target = None
    runs: int = 1
    """Of how many runs it is the median."""


class Report:
    """All figures of one run."""

    def __init__(self):
        self.parts = {}

    def part(self, name):
        """The list to which a part appends its figures."""
        return self.parts.setdefault(name, [])

    def figures(self):
        return [figure for part in self.parts.values() for figure in part]

    def missed(self):
        return [figure for figure in self.figures() if figure.target and not figure.target.met]

    def table(self):
        lines = []
        for name, figures in self.parts.items():
            lines += ["", name]
            width = max((len(figure.what) for figure in figures), default=0)
            for figure in figures:
                lines.append(f"  {figure.what:<{width}}  {shown(figure.ours, figure.unit):>12}{notes(figure)}")
        return "\n".join(lines)

    def save(self, file):
        parts = {name: [asdict(figure) for figure in figures] for name, figures in self.parts.items()}
        file.write_text(json.dumps({"machine": machine(), "parts": parts}, indent=2) + "\n")


def notes(figure):
    """What stands behind the figure: what was measured beside it, with the ratio, and its target."""
    found = [f"{name} {shown(value, figure.unit)}{ratio(figure.ours, value)}" for name, value in figure.beside.items()]
    if figure.target:
        found.append(f"{'ok' if figure.target.met else 'MISSED'}: {figure.target.words}")
    return "".join(f"   {note}" for note in found)


def ratio(ours, theirs):
    return f" (×{ours / theirs:.2f})" if theirs else ""


def shown(value, unit):
    digits = 0 if float(value).is_integer() or abs(value) >= 1000 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def median(values):
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def machine():
    """Which machine, compiler and commit the figures are of."""

    def said(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return {
        "cpu": cpu(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "rustc": said("rustc", "--version"),
        "commit": said("git", "rev-parse", "--short", "HEAD"),
    }


def cpu():
    try:
        with open("/proc/cpuinfo") as text:
            return next(line.split(":", 1)[1].strip() for line in text if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
