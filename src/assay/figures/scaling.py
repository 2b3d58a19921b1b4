"""Figures of scaling laws."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.figures.style import BAND, COLOURS, LEGEND, LINE, MAIN, SECOND, TITLE, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from assay.arrays import Floats

SHOWN = 40  # points whose means are drawn
CROSSING = 20  # points whose ranks are drawn


def law_figure(points: pd.DataFrame, by_size: pd.DataFrame) -> Figure:
    """Measured |psi_k| of some points with their fitted lines, log-log; R^2 over points at every cardinality."""
    figure, (left, right) = new_figure(columns=2)
    sizes = by_size["cardinality"].to_numpy()
    measured = points[[f"psi_{size}" for size in sizes]].abs().to_numpy()
    order = np.argsort(measured[:, 0])
    shown = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).astype(int)]
    fitted = np.abs(_laws(points, sizes))
    for colour, point in zip(cycle(COLOURS), shown, strict=False):
        left.plot(sizes, measured[point], ".", color=colour, markersize=3)
        left.plot(sizes, fitted[point], color=colour, linewidth=0.7, alpha=0.8)
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel("rows the point joins, k")
    left.set_ylabel("mean contribution, absolute")
    _quality(right, by_size)
    return figure


def _quality(axes: Any, by_size: pd.DataFrame) -> None:
    sizes = by_size["cardinality"].to_numpy()
    forms = {"log_linear": "log-log line", "weighted_power": "weighted power law", "two_term": "two terms"}
    for (name, label), style in zip(forms.items(), styles_of(forms).values(), strict=True):
        look = {**style, "label": label, "marker": "o", "markersize": 3}
        axes.plot(sizes, by_size[f"{name}/r2"].to_numpy(), **look)
        axes.plot(sizes, by_size[f"{name}/held_out_r2"].to_numpy(), "--", color=style["color"], linewidth=0.9)
    axes.plot(sizes, by_size["split_half_r2"].to_numpy(), ":", color="black", label="one half of the other")
    axes.set_xscale("log")
    axes.set_ylim(max(-0.05, min(0.5, float(by_size["log_linear/held_out_r2"].min()) - 0.05)), 1.02)
    axes.set_xlabel("rows the point joins, k")
    axes.set_title("R² over points; dashed: on subsets not fitted to", loc="left", fontsize=TITLE)
    axes.legend(frameon=False, fontsize=LEGEND)


def _laws(points: pd.DataFrame, sizes: Any) -> Floats:
    """c k^-alpha of every point at every size [n, K]."""
    powers = np.exp(-points["alpha"].to_numpy()[:, None] * np.log(np.asarray(sizes, dtype=np.float64)))
    return np.asarray(points["c"].to_numpy()[:, None] * powers)


def parameter_figure(points: pd.DataFrame, well_fitted: float) -> Figure:
    """Histograms of the log-log R^2 and of the exponents of well-fitted points."""
    figure, (left, right) = new_figure(columns=2)
    left.hist(points["log_r2"].clip(0, 1).to_numpy(), bins=np.linspace(0, 1, 21).tolist(), color=MAIN)
    left.set_xlabel("R² of a point's log-log line")
    left.set_ylabel("points")
    chosen = points.loc[points["log_r2"] >= well_fitted, "alpha"].to_numpy()
    right.hist(chosen, bins=np.arange(0, max([3.0, *chosen.tolist()]) + 0.1, 0.1).tolist(), color=SECOND)
    right.set_xlabel(f"exponent alpha of the points with R² of {well_fitted:g} or more")
    return figure


def crossing_figure(points: pd.DataFrame, by_size: pd.DataFrame) -> Figure:
    """Rank of each point among all by its fitted law, from the smallest to the largest cardinality."""
    figure, (axes,) = new_figure(width=6.4)
    cardinalities = by_size["cardinality"].to_numpy()
    sizes = np.unique(np.geomspace(cardinalities[0], cardinalities[-1], 30).astype(int))
    ranks = _laws(points, sizes).argsort(axis=0).argsort(axis=0)
    shown = np.linspace(0, len(ranks) - 1, min(CROSSING, len(ranks))).astype(int)
    by_first = np.argsort(ranks[:, 0])[shown]
    for colour, point in zip(cycle(COLOURS), by_first, strict=False):
        axes.plot(sizes, ranks[point], color=colour, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("rows the point joins, k")
    axes.set_ylabel("rank among the points, 0 the most harmful")
    return figure


def boundary_figure(points: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Exponent against the margin of the point's own label, a panel for each of the first classes."""
    labels = sorted(points["target"].unique())[:4]
    figure, panels = new_figure(columns=max(1, len(labels)), width=3.6)
    for axes, label, colour in zip(panels, labels, cycle(COLOURS), strict=False):
        part = points[points["target"] == label]
        axes.scatter(part["margin"], part["alpha"], s=8, color=colour, alpha=0.7)
        axes.axvline(0, **LINE)
        axes.set_title(str(classes[int(label)]), loc="left", fontsize=TITLE)
        axes.set_xlabel("margin of its label")
    panels[0].set_ylabel("exponent alpha")
    return figure


def theory_figure(points: pd.DataFrame, size: int) -> Figure:
    """Measured contributions over those of theory, and fitted exponents."""
    figure, (left, right) = new_figure(columns=2)
    measured: Any = points[f"psi_{size}"].to_numpy() * size**2
    limit = points["limit"].to_numpy()
    left.scatter(limit, measured, s=8, color=MAIN, alpha=0.7)
    ends = [float(limit.min()), float(limit.max())]
    left.plot(ends, ends, **LINE)
    left.set_xlabel("c of theory")
    left.set_ylabel(f"measured contribution times k², k={size}")
    right.hist(points["alpha"].to_numpy(), bins=30, color=SECOND)
    right.axvline(2, **LINE)
    right.set_xlabel("fitted exponent alpha")
    return figure


def learning_figure(summary: pd.DataFrame, law: pd.DataFrame) -> Figure:
    """Mean error against the number of rows with the fitted law, carried on beyond the largest size."""
    figure, (axes,) = new_figure(width=6.4)
    sizes, further = summary["cardinality"].to_numpy(), law["cardinality"].to_numpy()
    axes.errorbar(sizes, summary["error"], yerr=2 * summary["std_error"], fmt="o", color=MAIN, markersize=4)
    axes.plot(further, law["error"], color=SECOND, linewidth=1)
    axes.fill_between(further, law["error_low"], law["error_high"], color=SECOND, alpha=BAND, linewidth=0)
    axes.axhline(float(law["floor"].iloc[0]), **{**LINE, "linestyle": ":"})
    axes.axvline(sizes[-1], **LINE)
    axes.set_xscale("log")
    axes.set_xlabel("rows, k (right of the line: extrapolated)")
    axes.set_ylabel("mean error on the valid rows")
    return figure
