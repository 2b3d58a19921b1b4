"""Figures of values, and of a training's scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.style import LINE, MAIN, new_figure
from assay.valuation.values import interval_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WORDS = {
    "ci_low": "95 % interval of the estimate",
    "noise_low": "95 % interval of the noise",
    "pi_low": "90 % prediction interval",
}


def value_figure(table: pd.DataFrame, players: str = "rows of the train split") -> Figure:
    """Values in ascending order with their intervals, from the columns of a value table."""
    figure, (axes,) = new_figure(width=6.4)
    table = table.sort_values("value")
    place = range(len(table))
    ends = interval_of(map(str, table))
    if ends is not None:
        axes.fill_between(place, table[ends[0]], table[ends[1]], color=MAIN, alpha=0.25, linewidth=0)
    axes.plot(place, table["value"], color=MAIN)
    axes.axhline(0, **LINE)
    axes.set_xlabel(f"{players}, by value")
    axes.set_ylabel("value" if ends is None else f"value, with {WORDS[ends[0]]}")
    return figure


def curve_figure(curve: pd.DataFrame) -> Figure:
    """Scores on the valid split against steps."""
    scores = [str(column) for column in curve if str(column).startswith("valid_")]
    figure, panels = new_figure(columns=len(scores))
    for axes, score in zip(panels, scores, strict=True):
        axes.plot(curve["step"].to_numpy(), curve[score].to_numpy(), color=MAIN)
        axes.set_xlabel("steps")
        axes.set_ylabel(score.removeprefix("valid_") + " on the valid split")
    return figure
