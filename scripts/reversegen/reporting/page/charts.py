"""Charts as inline SVG. Text stays text, colours come from the page's style sheet, and equal input gives equal bytes.

Each series has a shape of its own beside its colour, for readers who do not see the colours apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reversegen.core.escaping import html_text

WIDTH, HEIGHT = 420, 270
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 40
ROW, STEP = 44, 13
"""The least height of a row of `row_chart`, and the distance of its series from each other, in units of the SVG."""
COLOURS = 5
"""Number of series colours in the style sheet: the classes c0 to c4."""


@dataclass(frozen=True)
class Point:
    """A measured value at a place, with the ends of its interval if it has one. Without a value the line has a gap."""

    place: float
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """Points that a line goes through."""

    name: str
    points: Sequence[Point]
    colour: int = 0
    faint: bool = False
    """Whether it is a single run behind the mean of several. It then has no bars and no entry in the legend."""
    legend: str = ""
    """Its name in the legend as HTML; `name` as text if this is empty."""


Scale = Callable[[float], float]


def line_chart(title: str, series: Sequence[Series], x_title: str, y_title: str, share: bool = True) -> str:
    """Lines over a number such as the iteration. The vertical axis goes from 0 to 1 for shares, else as far as needed."""
    points = [p for s in series for p in s.points if p.value is not None]
    low, high = 0.0, 1.0
    if not share:
        values = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
        low, high = min([0.0, *values]), max([0.0, *values]) or 1.0
    first, last = min((p.place for p in points), default=0.0), max((p.place for p in points), default=1.0)
    y_ticks = ticks(low, high)
    x = _scale(first, last, LEFT + 10, WIDTH - RIGHT - 10)
    y = _scale(y_ticks[0], max(high, y_ticks[-1]), HEIGHT - BOTTOM, TOP)
    parts = []
    for tick in y_ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="end" x="{LEFT - 6}" y="{y(tick) + 4:.1f}">{number(tick)}</text>')
    for tick in ticks(first, last, whole=True):
        if first <= tick <= last:
            parts.append(f'<text class="mid" x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 17}">{number(tick)}</text>')
    parts.append(f'<text class="mid" x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 5}">{html_text(x_title)}</text>')
    for line in series:
        parts += _line(line, x, y)
    return _svg(title, HEIGHT, parts) + _legend(series, y_title)


def _line(series: Series, x: Scale, y: Scale) -> list[str]:
    colour, parts, pen, d = f"c{series.colour % COLOURS}", [], "M", ""
    for point in series.points:
        if point.value is None:
            pen = "M"
            continue
        d += f"{pen}{x(point.place):.1f} {y(point.value):.1f}"
        pen = "L"
    parts.append(f'<path class="line {colour}{" faint" if series.faint else ""}" d="{d}"/>')
    for point in series.points:
        if point.value is None or series.faint:
            continue
        if point.low is not None and point.high is not None:
            parts.append(
                f'<path class="bar {colour}" d="M{x(point.place):.1f} {y(point.low):.1f}V{y(point.high):.1f}"/>'
            )
        if len(series.points) <= 20:
            value = f"{series.name}: {point.value:.3f}"
            parts.append(_mark(series.colour, x(point.place), y(point.value), value))
    return parts


def row_chart(title: str, rows: Sequence[str], series: Sequence[Series], x_title: str) -> str:
    """Shares of named rows, with one point of each series on each row. A point's `place` is the number of its row.

    The axis begins at 0, or at -1 if a difference of shares is negative.
    """
    bold = [s for s in series if not s.faint]
    tall = max(ROW, STEP * len(bold))
    ends = (value for line in series for point in line.points for value in (point.value, point.low))
    least = -1 if any(value is not None and value < 0 for value in ends) else 0
    x, height = _scale(least, 1, LEFT + 72, WIDTH - RIGHT - 10), TOP + tall * len(rows) + BOTTOM
    parts = []
    for tick in ticks(least, 1):
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {TOP}V{height - BOTTOM}"/>')
        parts.append(f'<text class="mid" x="{x(tick):.1f}" y="{height - BOTTOM + 17}">{number(tick)}</text>')
    parts.append(f'<text class="mid" x="{x((least + 1) / 2):.0f}" y="{height - 5}">{html_text(x_title)}</text>')
    for n, row in enumerate(rows):
        parts.append(f'<text class="end" x="{LEFT + 62}" y="{TOP + tall * (n + 0.5) + 4:.1f}">{html_text(row)}</text>')
        parts.append(f'<path class="grid" d="M{LEFT - 40} {TOP + tall * (n + 1)}H{WIDTH - RIGHT}"/>')
    for line in series:
        step = STEP * (line.colour - (len(bold) - 1) / 2)  # so that the series of a row lie below each other
        for point in line.points:
            if point.value is None:
                continue
            middle = TOP + tall * (point.place + 0.5) + step
            if line.faint:
                centre = f'cx="{x(point.value):.1f}" cy="{middle + 6:.1f}"'
                parts.append(f'<circle class="c{line.colour % COLOURS}" {centre} r="1.8"/>')
                continue
            if point.low is not None and point.high is not None:
                d = f"M{x(point.low):.1f} {middle:.1f}H{x(point.high):.1f}"
                parts.append(f'<path class="bar c{line.colour % COLOURS}" d="{d}"/>')
            value = f"{rows[int(point.place)]}, {line.name}: {point.value:.3f}"
            parts.append(_mark(line.colour, x(point.value), middle, value))
    return _svg(title, height, parts) + _legend(series, "")


def columns(values: Sequence[float], in_words: str) -> str:
    """A small chart of shares. The largest one has the full height. `in_words` is the text for readers who cannot see it."""
    top = max(values, default=0.0) or 1.0
    parts = [
        f'<rect class="c0" x="{n * 12}" y="{22 - 20 * value / top:.1f}" width="9" height="{20 * value / top + 1:.1f}"/>'
        for n, value in enumerate(values)
    ]
    width = max(1, 12 * len(values))
    return (
        f'<svg class="columns" viewBox="0 0 {width} 24" width="{width}" height="24" role="img" '
        f'aria-label="{html_text(in_words)}"><title>{html_text(in_words)}</title>{"".join(parts)}</svg>'
    )


def _mark(series: int, x: float, y: float, title: str) -> str:
    """The mark of a series: a circle, square, triangle, diamond or cross."""
    shapes = (
        f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8z",
        f"M{x:.1f} {y - 5:.1f}l5 9h-10z",
        f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z",
        f"M{x - 5:.1f} {y - 1.5:.1f}h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",
    )
    shape = shapes[series % len(shapes)]
    return f'<path class="mark c{series % COLOURS}" d="{shape}"><title>{html_text(title)}</title></path>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html_text(title)}">'
    return "\n".join([head, *parts, "</svg>"])


def _legend(series: Sequence[Series], y_title: str) -> str:
    """The names beside their marks. The style sheet puts it above the chart."""
    items = [
        f'<span><svg class="key" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">{_mark(s.colour, 7, 7, s.name)}'
        f"</svg> {s.legend or html_text(s.name)}</span>"
        for s in series
        if not s.faint
    ]
    unit = f'<span class="unit">{html_text(y_title)}</span>' if y_title else ""
    return f'\n<div class="legend">{"".join(items)}{unit}</div>'


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    """A function from numbers between `low` and `high` to places between `start` and `end`; the middle if both are equal."""
    if high == low:
        return lambda value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Up to seven round numbers that cover `low` to `high`, in steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / 5))
    step = next(step * n for n in (1, 2, 5, 10) if (high - low) / (step * n) <= 6)
    step = max(1.0, step) if whole else step
    return [round(step * n, 10) for n in range(math.floor(low / step), math.ceil(high / step - 1e-9) + 1)]


def number(value: float) -> str:
    """The shortest text for the number of a tick."""
    return f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")
