"""The one look of all figures: colours and markers in order of appearance, sizes, and the plain axes they start from."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito, then darker ones: kept apart by the usual kinds of colour blindness; the marker says the same in print
COLOURS = (
    "#555555",
    "#D55E00",
    "#0072B2",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#882255",
    "#A6761D",
    "#4B0092",
    "#1B7837",
    "#8C6BB1",
    "#000000",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h", "d", "p")
MAIN, SECOND = COLOURS[2], COLOURS[1]  # where a figure has one series, or two
BLACK = "black"
LINE: dict[str, Any] = {"color": BLACK, "linewidth": 0.8}  # where nothing is gained, or guessing stands
BOUND: dict[str, Any] = {"color": BLACK, "linewidth": 1, "linestyle": ":"}
BAND = 0.15  # opacity of an interval
TITLE, LEGEND, TICK = 10, 7, 8  # points


def new_figure(columns: int = 1, width: float = 5.2, height: float = 3.8) -> tuple[Figure, list[Axes]]:
    """A figure outside pyplot's global state, with its axes in a row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), dpi=150, layout="constrained")
    axes = [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
    return figure, axes


def styles_of(names: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Colour, marker and label of each series, in order of appearance."""
    series = list(dict.fromkeys(map(str, names)))
    looks = islice(zip(cycle(COLOURS), cycle(MARKERS), strict=False), len(series))
    return {
        name: {"color": colour, "marker": marker, "label": name.replace("_", " ")}
        for name, (colour, marker) in zip(series, looks, strict=True)
    }
