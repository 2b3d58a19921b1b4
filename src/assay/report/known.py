"""The papers that ship with claims, and which of their claims a set of runs speaks to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.config.locations import experiments_root as shipped_root
from assay.config.suggest import did_you_mean
from assay.errors import InputError
from assay.report.claims import PaperClaims, read_claims
from assay.report.reading import RunRecord
from assay.report.verdicts import Judgement, judge_all, matches

CLAIMS = "claims.yaml"


def papers(root: Path | None = None) -> list[str]:
    """Names of the papers that have a claims.yaml below `root` (default: what ships with assay)."""
    return sorted(file.parent.name for file in (root or shipped_root()).glob(f"*/{CLAIMS}"))


def claims_of(paper: str, root: Path | None = None) -> PaperClaims:
    """The claims of a paper; raises InputError for one that has none."""
    known = papers(root)
    if paper not in known:
        raise InputError("paper", paper, "has no claims", did_you_mean(paper, known))
    return read_claims((root or shipped_root()) / paper / CLAIMS)


def judge_known(records: Iterable[RunRecord], root: Path | None = None) -> list[Judgement]:
    """Judges every shipped claim that at least one of the runs is about."""
    records = list(records)
    judgements = []
    for paper in papers(root):
        claims = claims_of(paper, root).claims
        spoken_to = [claim for claim in claims if any(matches(claim, record) for record in records)]
        judgements += judge_all(spoken_to, records, paper)
    return judgements
