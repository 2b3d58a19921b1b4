"""The figure of membership inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.values import new_figure, style_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {"auc": "ROC-AUC of membership", "true_positive_rate": "true-positive rate at 1 % false positives"}
GUESSING = {"auc": 0.5, "true_positive_rate": 0.01}


def membership_figure(summary: pd.DataFrame) -> Figure:
    """Success of the attack for each mechanism and view, with 95 % intervals over targets; dotted: the budget's ceiling."""
    figure, panels = new_figure(columns=2)
    views = list(dict.fromkeys(summary["view"]))
    mechanisms = list(dict.fromkeys(summary["mechanism"]))
    for axes, (measure, label) in zip(panels, LABELS.items(), strict=True):
        for place, mechanism in enumerate(mechanisms):
            part = summary[summary["mechanism"] == mechanism]
            style = style_of(mechanism)
            at = [views.index(view) + 0.18 * (place - (len(mechanisms) - 1) / 2) for view in part["view"]]
            spread = [part[measure] - part[f"{measure}_low"], part[f"{measure}_high"] - part[measure]]
            axes.errorbar(at, part[measure], yerr=spread, linestyle="", capsize=2, **style)
        for ceiling in sorted({float(c) for c in summary[f"{measure}_ceiling"] if c < 1}):
            axes.axhline(ceiling, color="black", linestyle=":", linewidth=1, label="bound of a Gaussian release")
        axes.axhline(GUESSING[measure], color="black", linewidth=0.8)
        axes.set_xticks(
            range(len(views)), [{"own": "own value", "others": "values of the others"}[view] for view in views]
        )
        axes.set_ylabel(label)
    panels[0].legend(frameon=False, fontsize=7)
    return figure
