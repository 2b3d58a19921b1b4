"""Carries out the runs behind a paper's claims and reports what became of each claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from assay.errors import InputError
from assay.report.claims import Claim, select_claims
from assay.report.html import build_report
from assay.report.known import claims_of
from assay.report.reading import RunRecord, read_run
from assay.report.show import show_verdicts
from assay.report.verdicts import judge


def reproduce(
    *,
    paper: str,
    scale: str,
    seeds: int | None,
    claims: Sequence[str] | None,
    run: Callable[[list[str]], Path],
    outputs: Path,
    ahead: Callable[[list[list[str]]], object] = lambda runs: None,
    check: Callable[[list[list[str]]], object] = lambda runs: None,
    experiments_root: Path | None = None,
) -> Path:
    """Judges a paper's claims by runs with seeds 0 to `seeds` - 1, and returns the folder outputs/reports/<paper>.

    `run` takes overrides of the config and returns the directory of a finished run; it is called once for each seed of
    each distinct experiment with its settings, so claims share runs, and finished runs come back at once. `seeds` None
    takes as many as the scale says (`seeds`). `check` is called once, with a run of each experiment before any is carried
    out, and may raise. `ahead` is told of runs that will be asked for, and may carry them out several at a time. The
    folder holds index.html, claims.csv, summary.csv and the PNG files. Raises InputError for an unknown paper or claim, and
    for fewer seeds than one.
    """
    if seeds is not None and seeds < 1:
        raise InputError("seeds", seeds, "must be at least 1", "2 or more give an interval")
    known = claims_of(paper, experiments_root)
    chosen = select_claims(known.claims, claims)
    groups = list({_group(claim): claim for claim in chosen}.values())
    check([_overrides(claim, scale, 0) for claim in groups])
    ahead([_overrides(claim, scale, 0) for claim in groups])
    first = {_group(claim): read_run(run(_overrides(claim, scale, 0))) for claim in groups}
    wanted = {group: seeds if seeds is not None else _seeds_of_scale([record]) for group, record in first.items()}
    ahead([_overrides(claim, scale, seed) for claim in groups for seed in range(1, wanted[_group(claim)])])
    records: dict[tuple[str, ...], list[RunRecord]] = {}
    for claim in chosen:
        if _group(claim) not in records:
            later = range(1, wanted[_group(claim)])
            rest = [read_run(run(_overrides(claim, scale, seed))) for seed in later]
            records[_group(claim)] = [first[_group(claim)], *rest]
    judgements = [judge(claim, records[_group(claim)], paper) for claim in chosen]
    folder = outputs / "reports" / paper
    directories = [record.directory for group in records.values() for record in group]
    build_report(directories, folder, f"{paper}: claims at scale {scale}", judgements, lead=known.reference)
    show_verdicts(judgements)
    return folder


def _group(claim: Claim) -> tuple[str, ...]:
    return (claim.experiment, *claim.overrides)


def _overrides(claim: Claim, scale: str, seed: int) -> list[str]:
    return [f"experiment={claim.experiment}", f"scale={scale}", f"seed={seed}", *claim.overrides]


def _seeds_of_scale(records: Sequence[RunRecord]) -> int:
    """As many seeds as the config of the first run asks for; one before there is a run."""
    asked = records[0].setting("seeds") if records else 1
    return asked if isinstance(asked, int) else 1
