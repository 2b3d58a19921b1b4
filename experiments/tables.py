"""Judgements in Markdown, for the tables of every paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from assay.report import Judgement


def interval_of(judgement: Judgement) -> str:
    """Our figure with its interval over seeds, three digits each."""
    figure = judgement.figure
    return f"{figure.estimate:.3g} [{figure.low:.3g}, {figure.high:.3g}]"


def claims_table(judgements: Iterable[Judgement], wanted: Callable[[Judgement], bool] = lambda each: True) -> list[str]:
    """Every wanted claim with its rule, the paper's figure, ours over seeds and the verdict."""
    lines = ["| claim | rule | ours | seeds | verdict |", "|---|---|---|---|---|"]
    for each in judgements:
        if wanted(each):
            cells = (each.claim.statement, str(each.claim.rule), interval_of(each), str(len(each.seeds)), each.verdict)
            lines.append(f"| {' | '.join(cells)} |")
    return lines
