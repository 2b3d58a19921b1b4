"""The figure of how estimators of scaling laws gain by samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.style import LEGEND, TITLE, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LOWEST = -0.5  # of the axis of R^2


def estimator_figure(scores: pd.DataFrame) -> Figure:
    """R^2 and Spearman correlation of the distributional Shapley value against samples a point, for the first density."""
    figure, panels = new_figure(columns=2)
    part = scores[(scores["quantity"] == "shapley") & (scores["density"] == scores["density"].iloc[0])]
    styles = styles_of(part["estimator"])
    for axes, column, label in zip(panels, ("r2", "spearman"), ("R²", "Spearman correlation"), strict=True):
        for name, rows in part.groupby("estimator", sort=False):
            ordered = rows.sort_values("samples")
            heights = ordered[column].clip(lower=LOWEST).to_numpy()
            axes.plot(ordered["samples"].to_numpy(), heights, **styles[str(name)])
        counts = sorted(part["samples"].unique())
        axes.set_xscale("log")
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.set_xlabel("samples of a point, m")
        axes.set_ylabel(f"{label} of Shapley values")
        axes.set_ylim(top=1.02)
    panels[0].set_title(f"below {LOWEST:g} drawn there", loc="left", fontsize=TITLE)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=LEGEND
    )
    return figure
