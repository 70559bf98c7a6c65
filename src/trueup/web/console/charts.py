"""Charts as SVG that the server draws. Pure: numbers in, places out; ``parts/chart.html`` writes them.

x is in percent and y in pixels, so that text never scales and no script is needed. Places are text, because a template
would write ``12,5%`` for a German reader. Each chart has its numbers as a table too, which arrow keys read from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from trueup.kernel.records import Record
from trueup.web.console.words import Label

TOP: Final = 12
BOTTOM: Final = 24
_STEPS: Final = (1, 2, 2.5, 5, 10)


class Series(Record, frozen=True):
    """One of the things compared: what it is called, its class (``s1`` to ``s4``, ``good``, ``bad``), a value a place.

    Values are not negative.
    """

    label: Label
    css: str
    values: tuple[int, ...]


class Tick(Record, frozen=True):
    """A line of the grid."""

    y: str
    label_y: str
    label: str


class Bar(Record, frozen=True):
    """One piece of a column, by its place in the chart."""

    x: str
    width: str
    y: str
    height: str
    css: str


class Place(Record, frozen=True):
    """A column or a point: where it is, what it is called, and what each series has there, as people read it."""

    x: str
    """Its middle."""
    left: str
    width: str
    label: str
    shown: bool
    """Whether its name stands on the axis, where there is not room for all."""
    values: tuple[str, ...]


class Chart(Record, frozen=True):
    """What the template draws. ``line`` and ``area`` are paths in a box of 1000 by ``plot``, empty for columns."""

    title: Label
    head: Label
    """What the places are: the heading of the table's first column."""
    series: tuple[Series, ...]
    places: tuple[Place, ...]
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    line: str = ""
    area: str = ""
    height: int = 200
    plot: int = 164
    top: int = TOP
    base: str = ""
    axis: str = ""
    """Where names of the axis stand."""


def steps(highest: int, *, number: int = 4) -> list[int]:
    """Round values from 0 to one that is not below ``highest``, about so many."""
    if highest <= 0:
        return [0, 1]
    raw = highest / number
    magnitude = 10 ** math.floor(math.log10(raw))
    step = max(1, math.ceil(next(one * magnitude for one in _STEPS if one * magnitude >= raw)))
    return [step * place for place in range(math.ceil(highest / step) + 1)]


def _ticks(highest: int, height: int, told: Callable[[int], str]) -> tuple[list[int], tuple[Tick, ...]]:
    values, plot = steps(highest), height - TOP - BOTTOM
    ticks = []
    for value in values:
        y = TOP + plot * (1 - value / values[-1])
        ticks.append(Tick(y=f"{y:.1f}", label_y=f"{y + 4:.1f}", label=told(value)))
    return values, tuple(ticks)


def columns(
    title: Label,
    head: Label,
    names: Sequence[str],
    series: Sequence[Series],
    *,
    told: Callable[[int], str],
    height: int = 200,
) -> Chart:
    """Stacked columns, the first series at the bottom; ``told`` says a value as people read it."""
    plot = height - TOP - BOTTOM
    totals = [sum(one.values[place] for one in series) for place in range(len(names))]
    values, ticks = _ticks(max(totals, default=0), height, told)
    width = 100 / max(1, len(names))
    bars = []
    for place in range(len(names)):
        below = 0
        for one in series:
            value = one.values[place]
            if value:
                y, tall = TOP + plot * (1 - (below + value) / values[-1]), plot * value / values[-1]
                bars.append(
                    Bar(
                        x=f"{width * (place + 0.2):.2f}",
                        width=f"{width * 0.6:.2f}",
                        y=f"{y:.1f}",
                        height=f"{max(1.0, tall - 1):.1f}",
                        css=one.css,
                    )
                )
            below += value
    every = max(1, math.ceil(len(names) / 6))
    places = tuple(
        Place(
            x=f"{width * (place + 0.5):.2f}",
            left=f"{width * place:.2f}",
            width=f"{width:.2f}",
            label=name,
            shown=place % every == 0,
            values=tuple(told(one.values[place]) for one in series),
        )
        for place, name in enumerate(names)
    )
    chart = _chart(title, head, series, places, ticks)
    return msgspec.structs.replace(chart, bars=tuple(bars), **_sizes(height))


def line(
    title: Label,
    head: Label,
    names: Sequence[str],
    one: Series,
    *,
    told: Callable[[int], str],
    height: int = 180,
) -> Chart:
    """One series over time, with the ground beneath it."""
    plot = height - TOP - BOTTOM
    values, ticks = _ticks(max(one.values, default=0), height, told)
    number = max(1, len(names) - 1)
    points = [
        f"{1000 * place / number:.1f} {plot * (1 - value / values[-1]):.1f}" for place, value in enumerate(one.values)
    ]
    path = f"M{'L'.join(points)}" if points else ""
    every = max(1, math.ceil(len(names) / 4))
    width = 100 / number
    places = tuple(
        Place(
            x=f"{width * place:.2f}",
            left=f"{max(0.0, width * (place - 0.5)):.2f}",
            width=f"{width if 0 < place < number else width / 2:.2f}",
            label=name,
            shown=place % every == 0 and 0 < place < number,
            values=(told(one.values[place]),),
        )
        for place, name in enumerate(names)
    )
    area = f"{path}L1000 {plot}L0 {plot}Z" if points else ""
    chart = _chart(title, head, (one,), places, ticks)
    return msgspec.structs.replace(chart, line=path, area=area, **_sizes(height))


def _chart(
    title: Label, head: Label, series: Sequence[Series], places: tuple[Place, ...], ticks: tuple[Tick, ...]
) -> Chart:
    return Chart(title=title, head=head, series=tuple(series), places=places, ticks=ticks)


def _sizes(height: int) -> dict[str, Any]:
    plot = height - TOP - BOTTOM
    return {"height": height, "plot": plot, "base": str(height - BOTTOM), "axis": str(height - 6)}
