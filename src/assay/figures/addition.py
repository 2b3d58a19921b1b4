"""The figure of point addition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.style import LINE, MAIN, TICK, TITLE, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def addition_figure(gains: pd.DataFrame, kind: str) -> Figure:
    """Mean gain of every score with its 95 % interval, a panel for each size."""
    measure = "accuracy" if kind == "classification" else "negative_loss"
    sizes = sorted(gains["pool"].unique())
    figure, panels = new_figure(columns=len(sizes), width=4.6)
    for axes, size in zip(panels, sizes, strict=True):
        part = gains[gains["pool"] == size].iloc[::-1]
        middle = part[measure].to_numpy()
        bars = [middle - part[f"{measure}_low"].to_numpy(), part[f"{measure}_high"].to_numpy() - middle]
        axes.errorbar(middle, range(len(part)), xerr=bars, fmt="o", color=MAIN, markersize=4)
        axes.set_yticks(range(len(part)), part["score"].tolist(), fontsize=TICK)
        axes.axvline(0, **LINE)
        axes.set_xlabel(
            "gain in percentage points of accuracy" if kind == "classification" else "thousandths of the squared error"
        )
        axes.set_title(f"added to {size} rows", loc="left", fontsize=TITLE)
    return figure
