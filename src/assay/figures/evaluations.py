"""Figures of contenders against the number of evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.figures.style import BAND, BOUND, LEGEND, LINE, TITLE, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_bands(axes: Axes, summary: pd.DataFrame, column: str, labels: dict[str, str] | None = None) -> None:
    """A line with its interval for each contender; a level across for one that was measured once."""
    styles = styles_of(summary["contender"])
    for name, part in summary.groupby("contender", sort=False):
        style = styles[str(name)] | ({} if labels is None else {"label": labels[str(name)]})
        _draw_band(axes, part.sort_values("evaluations"), column, style)


def _draw_band(axes: Axes, part: pd.DataFrame, column: str, style: dict[str, Any]) -> None:
    low, high = part[f"{column}_low"].to_numpy(), part[f"{column}_high"].to_numpy()
    colour = style["color"]
    if len(part) == 1:  # one release, whatever the evaluations: a level, not a point
        axes.axhline(part[column].iloc[0], color=colour, linestyle="--", label=style["label"])
        axes.axhspan(low[0], high[0], color=colour, alpha=BAND, linewidth=0)
        return
    x = part["evaluations"].to_numpy()
    axes.plot(x, part[column].to_numpy(), **style)
    axes.fill_between(x, low, high, color=colour, alpha=BAND, linewidth=0)


def evaluation_axis(axes: Axes, summary: pd.DataFrame) -> None:
    """A logarithmic axis with the numbers of evaluations that were swept."""
    swept = summary.groupby("contender")["evaluations"].transform("size") > 1
    ticks = sorted(summary.loc[swept, "evaluations"].unique()) or sorted(summary["evaluations"].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("evaluations per row, k")


def uncertainty_figure(summary: pd.DataFrame, slopes: pd.DataFrame) -> Figure:
    """Estimation uncertainty against evaluations, log-log, with each contender's slope."""
    figure, (axes,) = new_figure(width=6.4, height=4.2)
    slope_of = dict(zip(slopes["contender"], slopes["slope"], strict=True))
    labels = {}
    for name, style in styles_of(summary["contender"]).items():
        labels[name] = f"{style['label']}: {f'slope {slope_of[name]:.2f}' if name in slope_of else 'measured once'}"
    draw_bands(axes, summary, "estimation_uncertainty", labels)
    axes.set_yscale("log")
    evaluation_axis(axes, summary)
    axes.set_ylabel("estimation uncertainty")
    axes.set_title("Variance of a row's value over replicates", loc="left", fontsize=TITLE)
    axes.legend(frameon=False, fontsize=LEGEND)
    return figure


def fidelity_figure(summary: pd.DataFrame) -> Figure:
    """Spearman correlation with the non-private values, and ROC-AUC of finding corrupted labels."""
    figure, (left, right) = new_figure(columns=2)
    draw_bands(left, summary, "spearman")
    draw_bands(right, summary, "auc")
    most = summary["evaluations"] == summary["evaluations"].max()
    ceiling = summary.loc[most, "auc_ceiling"].min()
    if ceiling < 1:
        right.axhline(ceiling, **BOUND, label="no Gaussian mechanism of this budget above")
    right.axhline(0.5, **LINE)
    left.axhline(0.0, **LINE)
    for axes, label in ((left, "Spearman correlation with non-private values"), (right, "ROC-AUC of corrupted labels")):
        evaluation_axis(axes, summary)
        axes.set_ylabel(label)
    right.legend(frameon=False, fontsize=LEGEND)
    return figure
