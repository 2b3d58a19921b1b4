"""The figure of membership inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.style import BOUND, LEGEND, LINE, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {"auc": "ROC-AUC of membership", "true_positive_rate": "true-positive rate at 1 % false positives"}
GUESSING = {"auc": 0.5, "true_positive_rate": 0.01}
VIEWS = {"own": "own value", "others": "values of the others"}


def membership_figure(summary: pd.DataFrame) -> Figure:
    """Success of the attack for each contender and view, with 95 % intervals over targets; dotted: the budget's ceiling."""
    figure, panels = new_figure(columns=2)
    views, styles = list(dict.fromkeys(summary["view"])), styles_of(summary["contender"])
    for axes, (measure, label) in zip(panels, LABELS.items(), strict=True):
        for place, (name, style) in enumerate(styles.items()):
            part = summary[summary["contender"] == name]
            at = [views.index(view) + 0.18 * (place - (len(styles) - 1) / 2) for view in part["view"]]
            spread = [part[measure] - part[f"{measure}_low"], part[f"{measure}_high"] - part[measure]]
            axes.errorbar(at, part[measure], yerr=spread, linestyle="", capsize=2, **style)
        for ceiling in sorted({float(c) for c in summary[f"{measure}_ceiling"] if c < 1}):
            axes.axhline(ceiling, **BOUND, label="bound of a Gaussian release")
        axes.axhline(GUESSING[measure], **LINE)
        axes.set_xticks(range(len(views)), [VIEWS[view] for view in views])
        axes.set_ylabel(label)
    panels[0].legend(frameon=False, fontsize=LEGEND)
    return figure
