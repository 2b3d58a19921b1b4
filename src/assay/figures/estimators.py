"""The figure of how estimators of scaling laws gain by samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.values import new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

STYLE = {
    "monte_carlo": ("#555555", "o", "Monte Carlo mean"),
    "likelihood": ("#D55E00", "s", "likelihood"),
    "likelihood_boxed": ("#E69F00", "P", "likelihood, bounded exponents"),
    "amortised": ("#0072B2", "^", "amortised network"),
    "empirical_bayes": ("#009E73", "D", "empirical Bayes, covariates"),
    "empirical_bayes_plain": ("#CC79A7", "v", "empirical Bayes"),
    "empirical_bayes_power": ("#56B4E9", "X", "empirical Bayes, power law, covariates"),
    "empirical_bayes_blend": ("#882255", "*", "empirical Bayes, blend"),
    "amortised_updated": ("#A6761D", "<", "amortised network, updated by own samples"),
}
LOWEST = -0.5  # of the axis of R^2


def estimator_figure(scores: pd.DataFrame) -> Figure:
    """R^2 and Spearman correlation of the distributional Shapley value against samples a point, for the first density."""
    figure, panels = new_figure(columns=2)
    part = scores[(scores["quantity"] == "shapley") & (scores["density"] == scores["density"].iloc[0])]
    for axes, column, label in zip(panels, ("r2", "spearman"), ("R²", "Spearman correlation"), strict=True):
        for name, held in part.groupby("estimator", sort=False):
            colour, marker, told = STYLE.get(str(name), ("#999999", ".", str(name)))
            ordered = held.sort_values("samples")
            heights = ordered[column].clip(lower=LOWEST).to_numpy()
            axes.plot(ordered["samples"].to_numpy(), heights, color=colour, marker=marker, label=told)
        counts = sorted(part["samples"].unique())
        axes.set_xscale("log")
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.set_xlabel("samples of a point, m")
        axes.set_ylabel(f"{label} of Shapley values")
        axes.set_ylim(top=1.02)
    panels[0].set_title(f"below {LOWEST:g} drawn there", loc="left", fontsize=9)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=7
    )
    return figure
