"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from assay.report.facts import number
from assay.report.sections import count_verdicts
from assay.report.verdicts import Judgement, Verdict

COLOURS = {
    Verdict.REPRODUCED: "green",
    Verdict.NOT_REPRODUCED: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_COMPARABLE: "dim",
}


def show_verdicts(judgements: Sequence[Judgement]) -> None:
    """Prints a row for each claim: our figure with its interval and the verdict; then why, where it is not reproduced."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE, title=count_verdicts([str(judgement.verdict) for judgement in judgements]), title_justify="left"
    )
    for column in ("claim", "ours", "verdict"):
        table.add_column(column, no_wrap=True)
    for judgement in judgements:
        ours = judgement.figure
        interval = f"[{number(ours.low)}, {number(ours.high)}]"
        verdict = Text(str(judgement.verdict), style=COLOURS[judgement.verdict])
        table.add_row(Text(judgement.claim.id), Text(f"{number(ours.estimate)} {interval}"), verdict)
    console = Console()
    console.print(table)
    reasons: dict[str, list[str]] = {}
    for judgement in judgements:
        if judgement.verdict is not Verdict.REPRODUCED:
            reasons.setdefault(judgement.reason, []).append(judgement.claim.id)
    for reason, ids in reasons.items():
        console.print(Text(f"{', '.join(ids)}: {reason}"), soft_wrap=True)
