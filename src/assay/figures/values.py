"""Figures of the tasks; colours tell mechanisms apart in print and for colour-blind readers (Okabe & Ito)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from assay.valuation.values import Values

STYLE: dict[str, tuple[str, str, str]] = {
    "none": ("#555555", "o", "no privacy"),
    "iid": ("#D55E00", "s", "i.i.d. noise"),
    "running_mean": ("#0072B2", "^", "running mean of past private gradients"),
    "running_mean_burn_in": ("#009E73", "D", "running mean with burn-in"),
    "random": ("#000000", "x", "random order"),
    "front_loaded": ("#A6761D", "<", "front-loaded budget"),
    "lower_triangular": ("#1B7837", "h", "own matrix of past private gradients"),
    "public_clip": ("#882255", "v", "running mean, public clipping norm"),
    "vector_release": ("#4B0092", ">", "one release at the start, replayed"),
    "directed": ("#CC79A7", "*", "directed release"),
    "directed_gaussian": ("#E69F00", "P", "directed release, Gaussian"),
    "directed_private_path": ("#56B4E9", "X", "directed release, private path"),
    "directed_subspace": ("#8C6BB1", "d", "directed release in a subspace"),
}


def new_figure(columns: int = 1, width: float = 5.2, height: float = 3.8) -> tuple[Figure, list[Axes]]:
    """A figure outside pyplot's global state, with its axes in a row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), dpi=150, layout="constrained")
    axes = [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
    return figure, axes


def style_of(mechanism: str) -> dict[str, Any]:
    colour, marker, label = STYLE.get(mechanism, ("#999999", "v", mechanism))
    return {"color": colour, "marker": marker, "label": label}


def draw_band(axes: Axes, table: pd.DataFrame, column: str, label: str) -> None:
    table = table.sort_values("evaluations")
    style = style_of(str(table["mechanism"].iloc[0]))
    x = table["evaluations"].to_numpy()
    low, high = table[f"{column}_low"].to_numpy(), table[f"{column}_high"].to_numpy()
    if len(table) == 1:  # one release, whatever the evaluations: a level, not a point
        axes.axhline(table[column].iloc[0], color=style["color"], linestyle="--", label=label or style["label"])
        axes.axhspan(low[0], high[0], color=style["color"], alpha=0.15, linewidth=0)
        return
    axes.plot(x, table[column].to_numpy(), **{**style, "label": label or style["label"]})
    axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)


def evaluation_axis(axes: Axes, summary: pd.DataFrame) -> None:
    swept = summary.groupby("mechanism")["evaluations"].transform("size") > 1
    ticks = sorted(summary.loc[swept, "evaluations"].unique()) or sorted(summary["evaluations"].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("evaluations per row, k")


def uncertainty_figure(summary: pd.DataFrame, slopes: pd.DataFrame) -> Figure:
    """Estimation uncertainty against evaluations, log-log, with each mechanism's slope."""
    figure, (axes,) = new_figure(width=6.4, height=4.2)
    slope_of = dict(zip(slopes["mechanism"], slopes["slope"], strict=True))
    for name, part in summary.groupby("mechanism", sort=False):
        told = f"slope {slope_of[name]:.2f}" if name in slope_of else "one release"
        draw_band(axes, part, "estimation_uncertainty", f"{style_of(str(name))['label']}: {told}")
    axes.set_yscale("log")
    evaluation_axis(axes, summary)
    axes.set_ylabel("estimation uncertainty")
    axes.set_title("Variance of a row's value over replicates", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    return figure


def fidelity_figure(summary: pd.DataFrame) -> Figure:
    """Spearman correlation with the non-private values, and ROC-AUC of finding corrupted labels."""
    figure, (left, right) = new_figure(columns=2)
    for _, part in summary.groupby("mechanism", sort=False):
        draw_band(left, part, "spearman", "")
        draw_band(right, part, "auc", "")
    reused = summary["evaluations"].isin(sorted(summary["evaluations"].unique())[-1:])
    ceiling = summary.loc[reused, "auc_ceiling"].min()
    if ceiling < 1:
        right.axhline(
            ceiling, color="black", linestyle=":", linewidth=1, label="no Gaussian mechanism of this budget above"
        )
    right.axhline(0.5, color="black", linewidth=0.8)
    left.axhline(0.0, color="black", linewidth=0.8)
    for axes, label in ((left, "Spearman correlation with non-private values"), (right, "ROC-AUC of corrupted labels")):
        evaluation_axis(axes, summary)
        axes.set_ylabel(label)
    right.legend(frameon=False, fontsize=7)
    return figure


def value_figure(values: Values, what: str = "rows of the train split") -> Figure:
    """Values in ascending order with their 95 % intervals."""
    figure, (axes,) = new_figure(width=6.4)
    table = values.table().sort_values("value")
    place = range(len(table))
    axes.fill_between(place, table["ci_low"], table["ci_high"], color="#0072B2", alpha=0.25, linewidth=0)
    axes.plot(place, table["value"], color="#0072B2")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xlabel(f"{what}, by value")
    axes.set_ylabel("value, with 95 % interval")
    return figure


def curve_figure(curve: pd.DataFrame) -> Figure:
    """Scores on the valid split against steps."""
    scores = [str(column) for column in curve if str(column).startswith("valid_")]
    figure, panels = new_figure(columns=len(scores))
    for axes, score in zip(panels, scores, strict=True):
        axes.plot(curve["step"].to_numpy(), curve[score].to_numpy(), color="#0072B2")
        axes.set_xlabel("steps")
        axes.set_ylabel(score.removeprefix("valid_") + " on the valid split")
    return figure
