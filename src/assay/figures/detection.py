"""Figures of label-noise detection: ROC-AUC against the number of evaluations, and against the burn-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.evaluations import draw_bands, evaluation_axis
from assay.figures.style import BAND, BOUND, COLOURS, LEGEND, LINE, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def detection_figure(summary: pd.DataFrame, reference_auc: float, corrupted_share: float) -> Figure:
    """ROC-AUC and precision against the number of evaluations, with the ceilings of the budget and the lines of guessing."""
    figure, (left, right) = new_figure(columns=2)
    draw_bands(left, summary, "auc")
    draw_bands(right, summary, "precision")
    _bounds(left, summary, reference_auc)
    left.set_ylabel("ROC-AUC of corrupted labels")
    right.set_ylabel("precision among the lowest values")
    right.axhline(corrupted_share, **LINE)
    for axes in (left, right):
        evaluation_axis(axes, summary)
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=LEGEND
    )
    return figure


def burn_in_figure(table: pd.DataFrame, reference_auc: float) -> Figure:
    """ROC-AUC against the share of evaluations left out, a line for each contender and number of evaluations."""
    figure, (axes,) = new_figure(width=6.4, height=4.2)
    series = (table["contender"] + ", k=" + table["evaluations"].astype(str)).rename("series")
    styles = styles_of(series)
    for name, part in table.groupby(series, sort=False):
        shares, style = part["burn_in"].astype(float).to_numpy(), styles[str(name)]
        axes.plot(shares, part["auc"].to_numpy(), **style)
        low, high = part["auc_low"].to_numpy(), part["auc_high"].to_numpy()
        axes.fill_between(shares, low, high, color=style["color"], alpha=BAND, linewidth=0)
    _bounds(axes, table, reference_auc)
    axes.set_xlabel("burn-in: share of the evaluations left out, q/k")
    axes.set_ylabel("ROC-AUC of corrupted labels")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=LEGEND)
    return figure


def _bounds(axes: Axes, table: pd.DataFrame, reference_auc: float) -> None:
    ceilings = sorted({float(ceiling) for ceiling in table["auc_ceiling"] if ceiling < 1})
    for ceiling in ceilings:
        axes.axhline(ceiling, **BOUND, label=f"bound of its release {ceiling:.3f}")
    axes.axhline(reference_auc, color=COLOURS[0], linestyle="-.", linewidth=1, label="non-private, most permutations")
    axes.axhline(0.5, **LINE)
