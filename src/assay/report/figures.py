"""Figures that a report draws itself: measures over seeds, and the claims with their intervals."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assay.figures.style import BAND, LEGEND, TICK, TITLE, styles_of
from assay.report.verdicts import Judgement, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS, SERIES = 4, 12  # of a figure of a sweep, at most

VERDICT_STYLE = {
    Verdict.REPRODUCED: ("#00795a", "o"),
    Verdict.NOT_REPRODUCED: ("#c0392b", "X"),
    Verdict.INCONCLUSIVE: ("#8a6d00", "s"),
    Verdict.NOT_COMPARABLE: ("#777777", "D"),
}


def png(figure: Figure) -> bytes:
    """PNG of a figure, without tags that name the time or the program."""
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=150, bbox_inches="tight", metadata={"Software": None})
    return sink.getvalue()


def claims_figure(judgements: Sequence[Judgement]) -> Figure | None:
    """Forest plot: a strip for each claim with a figure, the rule shaded, our mean and interval, the paper's figure.

    Claims differ in unit, so each strip has its own scale. None when no claim has a figure.
    """
    from matplotlib.figure import Figure

    shown = [judgement for judgement in judgements if math.isfinite(judgement.figure.estimate)]
    if not shown:
        return None
    figure = Figure(figsize=(8.5, 0.62 * len(shown) + 0.5), layout="constrained")
    strips = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, judgement in zip(strips, shown, strict=True):
        _strip(axes, judgement)
    strips[0].set_title(
        "ours with 95 % interval over seeds; shaded: the range that confirms the claim", fontsize=TITLE, loc="left"
    )
    return figure


def summary_figure(full: pd.DataFrame) -> Figure | None:
    """Each measure of a summary against its first count, a line for each entry of its first column, bounds as a band.

    None unless the first column is text, the second counts with at least two values, and both tell all rows apart.
    """
    from pandas.api.types import is_integer_dtype, is_numeric_dtype

    if len(full.columns) < 2:
        return None
    label, count = map(str, full.columns[:2])
    if is_numeric_dtype(full[label]) or not is_integer_dtype(full[count]) or full[count].nunique() < 2:
        return None
    if full.duplicated([label, count]).any():
        return None
    bounded = [c for c in map(str, full) if f"{c}_low" in full and f"{c}_high" in full]
    measures = [measure for measure in bounded if (full[f"{measure}_high"] > full[f"{measure}_low"]).any()]
    if not measures:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6 * len(measures), 3.2), layout="constrained")
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    ticks, styles = sorted(full[count].unique()), styles_of(full[label])
    for axes, measure in zip(panels, measures, strict=True):
        for name, part in full.groupby(label, sort=False):
            _line(axes, part.sort_values(count), count, measure, styles[str(name)])
        axes.set(title=measure.replace("_", " "), xlabel=count.replace("_", " "), xscale="log")
        if _spans_decades(full[measure]):
            axes.set_yscale("log")
        axes.set_xticks(ticks, labels=map(str, ticks))
        axes.minorticks_off()
        axes.grid(alpha=0.25)
    handles = panels[0].get_legend_handles_labels()  # below the panels, where it covers no line
    figure.legend(*handles, fontsize=LEGEND, loc="outside lower center", ncols=4, frameon=False)
    return figure


def swept_figure(full: pd.DataFrame, keys: Sequence[str]) -> Figure | None:
    """Each measure of a summary against the swept key of most numbers, a line for each combination of the others.

    None where no key takes two numbers or more, where a combination has several rows, and where nothing varies.
    """
    import pandas as pd

    numbers = {key: column for key in keys if (column := pd.to_numeric(full[key], errors="coerce")).notna().all()}
    key = max(numbers, key=lambda each: numbers[each].nunique(), default=None)
    if key is None or numbers[key].nunique() < 2 or full.duplicated(list(keys)).any():
        return None
    measures = [column for column in map(str, full) if f"{column}_low" in full and full[column].nunique() > 1][:PANELS]
    others = [each for each in keys if each != key]
    series = full[others].astype(str).agg(", ".join, axis=1) if others else pd.Series("all", index=full.index)
    if not measures or series.nunique() > SERIES:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6 * len(measures), 3.2), layout="constrained")
    panels, styles = figure.subplots(1, len(measures), squeeze=False)[0], styles_of(series)
    frame = full.assign(**{key: numbers[key]})
    for axes, measure in zip(panels, measures, strict=True):
        for name, part in frame.groupby(series, sort=False):
            _line(axes, part.sort_values(key), key, measure, styles[str(name)])
        axes.set(title=measure.replace("_", " "), xlabel=key, xscale="log" if _spans_decades(frame[key]) else "linear")
        axes.grid(alpha=0.25)
    if others:
        figure.legend(*panels[0].get_legend_handles_labels(), fontsize=LEGEND, loc="outside lower center", ncols=4)
    return figure


def _spans_decades(values: pd.Series[float]) -> bool:
    """True for positive numbers of which the largest is ten times the smallest or more."""
    known = values.dropna()
    return bool(len(known) and (known > 0).all() and known.max() >= 10 * known.min())


def _line(axes: Axes, part: pd.DataFrame, count: str, measure: str, style: dict[str, Any]) -> None:
    axes.plot(part[count], part[measure], markersize=4, **style)
    bounds = part[f"{measure}_low"], part[f"{measure}_high"]
    axes.fill_between(part[count], *bounds, color=style["color"], alpha=BAND, linewidth=0)


def _strip(axes: Axes, judgement: Judgement) -> None:
    claim, ours = judgement.claim, judgement.figure
    colour, marker = VERDICT_STYLE[judgement.verdict]
    marks = [ours.estimate, ours.low, ours.high, claim.rule.low, claim.rule.high, claim.paper_value]
    finite = [mark for mark in marks if mark is not None and math.isfinite(mark)]
    margin = 0.15 * (max(finite) - min(finite)) or 0.1 * abs(finite[0]) or 0.1
    left, right = min(finite) - margin, max(finite) + margin
    axes.axvspan(max(claim.rule.low, left), min(claim.rule.high, right), color="#00795a", alpha=0.13, linewidth=0)
    if math.isfinite(ours.low) and math.isfinite(ours.high):
        axes.plot([ours.low, ours.high], [0, 0], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([ours.estimate], [0], color=colour, marker=marker, markersize=7, linestyle="none")
    if claim.paper_value is not None:
        axes.plot([claim.paper_value], [0], color="black", marker="|", markersize=14, linestyle="none")
    axes.set(xlim=(left, right), ylim=(-1, 1), yticks=[])
    axes.set_ylabel(claim.id, rotation=0, ha="right", va="center", fontsize=TICK)
    axes.text(1.01, 0.5, str(judgement.verdict), transform=axes.transAxes, va="center", fontsize=TICK, color=colour)
    axes.tick_params(axis="x", labelsize=7)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
