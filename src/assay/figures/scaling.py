"""Figures of scaling laws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.figures.values import new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from assay.valuation.contributions.samples import CardinalityMeans
    from assay.valuation.laws.laws import Laws
    from assay.valuation.laws.learning_curve import AggregateLaw

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255", "#A6761D", "#4B0092")
SHOWN = 40  # points whose means are drawn


def law_figure(means: CardinalityMeans, laws: Laws, by_size: pd.DataFrame) -> Figure:
    """Measured |psi_k| of some points with their fitted lines, log-log; R^2 over points at every cardinality."""
    figure, (left, right) = new_figure(columns=2)
    sizes = means.cardinalities
    order = np.argsort(np.abs(means.mean[:, 0]))
    shown = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).astype(int)]
    fitted = np.abs(laws.at(sizes).mean)
    for place, point in enumerate(shown):
        colour = COLOURS[place % len(COLOURS)]
        left.plot(sizes, np.abs(means.mean[point]), ".", color=colour, markersize=3)
        left.plot(sizes, fitted[point], color=colour, linewidth=0.7, alpha=0.8)
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel("rows the point joins, k")
    left.set_ylabel("mean contribution, absolute")
    names = {"log_linear": "log-log line", "weighted_power": "weighted power law", "two_term": "two terms"}
    for colour, (name, label) in zip(COLOURS, names.items(), strict=False):
        right.plot(sizes, by_size[f"{name}/r2"].to_numpy(), "o-", color=colour, label=label, markersize=3)
        right.plot(sizes, by_size[f"{name}/held_out_r2"].to_numpy(), "--", color=colour, linewidth=0.9)
    right.plot(sizes, by_size["split_half_r2"].to_numpy(), ":", color="black", label="one half of the other")
    right.set_xscale("log")
    right.set_ylim(max(-0.05, min(0.5, float(by_size["log_linear/held_out_r2"].min()) - 0.05)), 1.02)
    right.set_xlabel("rows the point joins, k")
    right.set_title("R² over points; dashed: on subsets not fitted to", loc="left", fontsize=9)
    right.legend(frameon=False, fontsize=7)
    return figure


def parameter_figure(frame: pd.DataFrame, well_fitted: float) -> Figure:
    """Histograms of the log-log R^2 and of the exponents of well-fitted points."""
    figure, (left, right) = new_figure(columns=2)
    left.hist(frame["log_r2"].clip(0, 1).to_numpy(), bins=np.linspace(0, 1, 21).tolist(), color=COLOURS[0])
    left.set_xlabel("R² of a point's log-log line")
    left.set_ylabel("points")
    kept = frame.loc[frame["log_r2"] >= well_fitted, "alpha"].to_numpy()
    right.hist(kept, bins=np.arange(0, max([3.0, *kept.tolist()]) + 0.1, 0.1).tolist(), color=COLOURS[1])
    right.set_xlabel(f"exponent alpha of the points with R² of {well_fitted:g} or more")
    return figure


def crossing_figure(means: CardinalityMeans, laws: Laws) -> Figure:
    """Rank of each point among all by its fitted law, from the smallest to the largest cardinality."""
    figure, (axes,) = new_figure(width=6.4)
    sizes = np.unique(np.geomspace(means.cardinalities[0], means.cardinalities[-1], 30).astype(int))
    ranks = laws.at(sizes).mean.argsort(axis=0).argsort(axis=0)
    shown = np.linspace(0, len(ranks) - 1, min(20, len(ranks))).astype(int)
    by_first = np.argsort(ranks[:, 0])[shown]
    for place, point in enumerate(by_first):
        axes.plot(sizes, ranks[point], color=COLOURS[place % len(COLOURS)], linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("rows the point joins, k")
    axes.set_ylabel("rank among the points, 0 the most harmful")
    return figure


def boundary_figure(frame: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Exponent against the margin of the point's own label, a panel for each of the first classes."""
    labels = sorted(frame["target"].unique())[:4]
    figure, panels = new_figure(columns=max(1, len(labels)), width=3.6)
    for axes, label in zip(panels, labels, strict=False):
        part = frame[frame["target"] == label]
        axes.scatter(part["margin"], part["alpha"], s=8, color=COLOURS[int(label) % len(COLOURS)], alpha=0.7)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_title(str(classes[int(label)]), loc="left", fontsize=9)
        axes.set_xlabel("margin of its label")
    panels[0].set_ylabel("exponent alpha")
    return figure


def theory_figure(frame: pd.DataFrame, size: int) -> Figure:
    """Measured contributions over those of theory, and fitted exponents."""
    figure, (left, right) = new_figure(columns=2)
    measured: Any = frame[f"psi_{size}"].to_numpy() * size**2
    limit = frame["limit"].to_numpy()
    left.scatter(limit, measured, s=8, color=COLOURS[0], alpha=0.7)
    ends = [float(limit.min()), float(limit.max())]
    left.plot(ends, ends, color="black", linewidth=0.8)
    left.set_xlabel("c of theory")
    left.set_ylabel(f"measured contribution times k², k={size}")
    right.hist(frame["alpha"].to_numpy(), bins=30, color=COLOURS[1])
    right.axvline(2, color="black", linewidth=0.8)
    right.set_xlabel("fitted exponent alpha")
    return figure


def curve_figure(summary: pd.DataFrame, law: AggregateLaw) -> Figure:
    """Mean error against the number of rows with the fitted law, carried on to ten times the largest size."""
    figure, (axes,) = new_figure(width=6.4)
    sizes = summary["cardinality"].to_numpy()
    further = np.geomspace(sizes[0], 10 * sizes[-1], 60)
    predicted = law.at(further)
    low, high = predicted.interval()
    axes.errorbar(sizes, summary["error"], yerr=2 * summary["std_error"], fmt="o", color=COLOURS[0], markersize=4)
    axes.plot(further, predicted.mean, color=COLOURS[1], linewidth=1)
    axes.fill_between(further, low, high, color=COLOURS[1], alpha=0.2, linewidth=0)
    axes.axhline(law.floor, color="black", linewidth=0.8, linestyle=":")
    axes.axvline(sizes[-1], color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("rows, k (right of the line: extrapolated)")
    axes.set_ylabel("mean error on the valid rows")
    return figure
