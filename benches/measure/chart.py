"""Draws what a plan costs over the number of endpoints, from a file of figures that was saved."""

import json
import math
import re
from pathlib import Path
from xml.sax.saxutils import escape

from . import terraform

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benches/results"
PICTURE = ROOT / "assets/cost.svg"

# As in the README's other picture: a card of its own colour, which light and dark pages show alike.
INK, FAINT, GRID, PAPER = "#d6deeb", "#8b949e", "#243044", "#0b1220"
OURS = "#7ee787"
OTHERS = ["#79c0ff", "#d2a8ff", "#e3b341", "#ff7b72", "#76e3ea"]

WIDTH, HEIGHT = 880, 440
TOP, BOTTOM = 96, 72
PANEL = 340
LEFTS = (72, 508)
FONT = "system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif"


def draw(file=None):
    """Makes the picture of this file of figures; of the last one among the results by name, if none is given."""
    file = file or max(RESULTS.glob("*.json"))
    saved = json.loads(file.read_text())
    figures = {figure["what"]: figure for figure in saved["parts"].get("terraform", [])}
    sizes = sorted(plans_in(figures))
    if not sizes:
        raise SystemExit(f"{file} has no figures of plans")
    panels = [
        ("Time of a plan", "s", terraform.wall),
        ("Processor time of the provider", "ms", terraform.processor),
    ]
    names = list(figures[terraform.wall(sizes[0])]["beside"])
    colours = {terraform.OURS: OURS, **dict(zip(names, OTHERS * len(names)))}
    machine = saved["machine"]
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">',
        "<title>What a plan costs, over the number of endpoints</title>",
        "<!-- Made by `make bench-chart`. -->",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        f'<g font-family="{FONT}" font-size="13" fill="{INK}">',
        *legend(colours),
    ]
    for left, (title, unit, what) in zip(LEFTS, panels):
        series = {name: values(figures, sizes, what, name) for name in colours}
        svg += panel(left, title, unit, {name: points for name, points in series.items() if points}, colours)
    note = f"{machine['cpu']}, {machine['processors']} processors; commit {machine['commit']}; both axes logarithmic"
    svg.append(text(WIDTH / 2, HEIGHT - 26, note, "middle", FAINT, 11))
    if "note" in saved:  # Which somebody has added to the file.
        svg.append(text(WIDTH / 2, HEIGHT - 10, saved["note"], "middle", FAINT, 11))
    PICTURE.write_text("\n".join([*svg, "</g>", "</svg>", ""]))
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size} bytes, of {file.name}")


def plans_in(figures):
    """The numbers of endpoints that plans were made of."""
    for what in figures:
        found = re.search(r"[\d,]+", what)
        if found and what == terraform.wall(n := int(found[0].replace(",", ""))):
            yield n


def values(figures, sizes, what, name):
    """The points of one line: of how many, and how much."""
    points = []
    for n in sizes:
        figure = figures[what(n)]
        value = figure["ours"] if name == terraform.OURS else figure["beside"].get(name)
        if value:
            points.append((n, value))
    return points


def legend(colours):
    at = LEFTS[0]
    for name, colour in colours.items():
        yield line([(at, 28), (at + 24, 28)], colour, name)
        yield text(at + 32, 32.5, name)
        at += 32 + 8 * len(name) + 28


def panel(left, title, unit, series, colours):
    """One diagram. Each line of it goes by the ends of both axes, which are powers of ten as far as the values need."""
    all_values = [value for points in series.values() for _, value in points]
    sizes = sorted({n for points in series.values() for n, _ in points})
    low, high = math.floor(math.log10(min(all_values))), math.ceil(math.log10(max(all_values)))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])
    bottom = HEIGHT - BOTTOM

    def x(n):
        return left + (math.log10(n) - first) / ((last - first) or 1) * PANEL

    def y(value):
        return bottom - (math.log10(value) - low) / ((high - low) or 1) * (bottom - TOP)

    yield text(left, TOP - 20, title, weight="bold")
    for power in range(low, high + 1):
        value = 10.0**power
        yield line([(left, y(value)), (left + PANEL, y(value))], GRID)
        yield text(left - 8, y(value) + 4, f"{value:,.{max(0, -power)}f} {unit}", "end", FAINT, 12)
    for n in sizes:
        yield line([(x(n), TOP), (x(n), bottom)], GRID)
        yield text(x(n), bottom + 18, f"{n:,}", "middle", FAINT, 12)
    # Ours last, above the others.
    for name in sorted(series, key=lambda name: name == terraform.OURS):
        points = [(x(n), y(value)) for n, value in series[name]]
        yield line(points, colours[name], name)
        yield from (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colours[name]}"/>' for a, b in points)


def line(points, colour, name=None):
    """A line of a diagram, or one of its grid. Where floors lie under ours, their dashes still tell them apart."""
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    if name is None:
        style = 'stroke-width="1"'
    elif name == terraform.OURS:
        style = 'stroke-width="2.5"'
    else:
        style = 'stroke-width="2" stroke-dasharray="6 4"'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" {style}/>'


def text(x, y, words, anchor="start", colour=INK, size=13, weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}"'
        f' font-weight="{weight}">{escape(words)}</text>'
    )
