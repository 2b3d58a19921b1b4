"""The verdicts on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from assay.figures.tables import print_prose, print_table
from assay.report.sections import count_verdicts
from assay.report.verdicts import Judgement, Verdict

COLOURS = {
    Verdict.REPRODUCED: "32",
    Verdict.NOT_REPRODUCED: "31",
    Verdict.INCONCLUSIVE: "33",
    Verdict.NOT_COMPARABLE: "2",
}


def show_verdicts(judgements: Sequence[Judgement]) -> None:
    """Prints a row for each claim: our figure with its interval and the verdict; then why, where it is not reproduced."""
    rows = []
    for judgement in judgements:
        ours, verdict = judgement.figure, str(judgement.verdict)
        row = {"claim": judgement.claim.id, "ours": ours.estimate, "ours_low": ours.low, "ours_high": ours.high}
        rows.append({**row, "verdict": verdict})
    title = count_verdicts([str(judgement.verdict) for judgement in judgements])
    print_table(
        title, rows, ("claim", "ours", "verdict"), colours={str(verdict): code for verdict, code in COLOURS.items()}
    )
    reasons: dict[str, list[str]] = {}
    for judgement in judgements:
        if judgement.verdict is not Verdict.REPRODUCED:
            reasons.setdefault(judgement.reason, []).append(judgement.claim.id)
    print_prose([f"{', '.join(ids)}: {reason}" for reason, ids in reasons.items()])
