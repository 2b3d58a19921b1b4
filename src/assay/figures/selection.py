"""The figure of selection curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.figures.style import LEGEND, LINE, TITLE, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PANELS = {
    "share of the train rows removed": {"remove_lowest": "-", "remove_highest": "--"},
    "share of the train rows trained on": {"add_highest": "-", "add_lowest": "--"},
}


def selection_figure(curve: pd.DataFrame, whole: float, kind: str) -> Figure:
    """Test score after removing (solid: lowest values) and when training on some rows alone (solid: highest values)."""
    figure, panels = new_figure(columns=2)
    styles = styles_of(curve["contender"])
    for axes, (label, ways) in zip(panels, PANELS.items(), strict=True):
        for (name, way), part in curve.groupby(["contender", "way"], sort=False):
            if way not in ways:
                continue
            style, line = styles[str(name)], ways[str(way)]
            shares = part["share"].astype(float).to_numpy()
            shown = style["label"] if line == "-" else "_nolegend_"
            axes.plot(shares, part["score"].to_numpy(), **{**style, "label": shown}, linestyle=line, markersize=4)
            low, high = part["score_low"].to_numpy(), part["score_high"].to_numpy()
            axes.fill_between(shares, low, high, color=style["color"], alpha=0.12, linewidth=0)
        axes.axhline(whole, **LINE)
        axes.set_xlabel(label)
    panels[0].set_ylabel("minus the squared error on test" if kind == "regression" else "accuracy on test")
    panels[0].set_title("solid: lowest values removed; dashed: highest", loc="left", fontsize=TITLE)
    panels[1].set_title("solid: highest values alone; dashed: lowest", loc="left", fontsize=TITLE)
    panels[0].legend(frameon=False, fontsize=LEGEND)
    return figure
