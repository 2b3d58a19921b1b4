"""Verdicts on claims: our figure with its interval over seeds, and the answer by the claim's rule."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from assay.config.compose import compose
from assay.errors import AssayError
from assay.figures.tables import number
from assay.report.aggregate import SeedGroup, group_by_seed, interval_over_seeds
from assay.report.claims import Claim
from assay.report.placeholders import filled_claim
from assay.report.reading import MISSING, RunRecord
from assay.report.rules import Rule
from assay.runs.fingerprint import fingerprint
from assay.statistics import Interval

NOTHING = Interval(math.nan, math.nan, math.nan)


class Verdict(StrEnum):
    """The four answers."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class Judgement:
    """A claim, our figure, the verdict, and the command behind it.

    The figure is the mean with its 95 % Student-t interval over seeds; of a claim on `each` seed, the mean with the lowest
    and the highest seed.
    """

    claim: Claim
    figure: Interval
    seeds: tuple[int, ...]
    verdict: Verdict
    reason: str
    command: str
    scale: str | None = None


def decide(rule: Rule, interval: Interval, seeds: int, *, exact: bool = False) -> tuple[Verdict, str]:
    """Verdict on a 95 % interval over seeds, with the reason in words.

    Reproduced: the whole interval obeys the rule. Not reproduced: none of it does. Inconclusive: it straddles a bound,
    is not finite, rests on fewer than two seeds, or on equal samples, which say nothing of others unless the figure is
    `exact`: one that does not depend on the seed.
    """
    if seeds < 2:
        return Verdict.INCONCLUSIVE, f"{_count(seeds)}: an interval needs at least 2"
    if interval.low == interval.high and not exact:
        return Verdict.INCONCLUSIVE, f"every seed gives {number(interval.estimate)}: equal samples have no interval"
    if not all(map(math.isfinite, (interval.estimate, interval.low, interval.high))):
        return Verdict.INCONCLUSIVE, "the figure is not a finite number in every seed"
    if rule.holds_whole(interval.low, interval.high):
        return Verdict.REPRODUCED, f"the whole interval is {rule}"
    if rule.misses_whole(interval.low, interval.high):
        return Verdict.NOT_REPRODUCED, f"no part of the interval is {rule}"
    return Verdict.INCONCLUSIVE, f"only part of the interval is {rule}"


def judge(claim: Claim, runs: Sequence[RunRecord], paper: str) -> Judgement:
    """Judges a claim by runs of its experiment that differ in seed alone; its placeholders take the runs' sizes."""
    if runs:
        claim = filled_claim(claim, runs[0].config)
    seeds = tuple(sorted(run.seed for run in runs))
    scale = runs[0].scale if runs else None
    measured = [value for run in runs if (value := _figure(claim, run)) is not None]
    figure = interval_over_seeds(measured) if measured and len(measured) == len(runs) else NOTHING
    if claim.each and math.isfinite(figure.estimate):
        figure = Interval(figure.estimate, min(measured), max(measured))
    if not claim.comparable:
        verdict, reason = Verdict.NOT_COMPARABLE, str(claim.reason)
    elif absent := _absent_metric(claim, runs):
        at = "in these runs" if scale is None else f"at scale={scale}"
        verdict, reason = Verdict.NOT_COMPARABLE, f"metric {absent} is not measured {at}"
    else:
        verdict, reason = decide(claim.rule, figure, len(runs), exact=claim.exact or claim.each)
        if claim.each and verdict is Verdict.REPRODUCED:
            reason = f"every seed is {claim.rule}; shown from the lowest to the highest"
        if claim.each and verdict is Verdict.INCONCLUSIVE and len(runs) > 1:
            verdict, reason = Verdict.NOT_REPRODUCED, f"not every seed is {claim.rule}"
        codes = len({run.sources for run in runs})
        if codes > 1:
            reason += f"; the runs are of {codes} different sources of assay (rerun=true runs one again)"
    return Judgement(claim, figure, seeds, verdict, reason, command_of(claim, paper, scale, seeds), scale)


def judge_all(claims: Iterable[Claim], records: Iterable[RunRecord], paper: str) -> list[Judgement]:
    """Judges each claim by the runs among `records` that are of its experiment and settings.

    Where runs of several configs match (another scale, another learning rate), those of the claim's own config come first,
    which `assay reproduce` carries out, then those that measure its metric; then the config with most seeds decides, the
    one finished last among equals.
    """
    records = list(records)
    judgements = []
    for claim in claims:
        speaking = [record for record in records if matches(claim, record)]
        if len(group_by_seed(speaking)) > 1:
            speaking = [record for record in speaking if _is_own(claim, record)] or speaking
        measured = [record for record in speaking if _figure(filled_claim(claim, record.config), record) is not None]
        groups = group_by_seed(measured or speaking)
        decisive = max(groups, key=_weight, default=None)
        judgements.append(judge(claim, decisive.runs if decisive else (), paper))
    return judgements


def matches(claim: Claim, record: RunRecord) -> bool:
    """True for a run of the claim's experiment with all of its settings; options and contenders match by their names."""
    if record.name != claim.experiment:
        return False
    for key, wanted in claim.settings.items():
        setting = record.setting(key)
        if isinstance(setting, dict) and isinstance(wanted, list):
            setting, wanted = (
                list(setting),
                [name for each in wanted for name in ([each] if isinstance(each, str) else each)],
            )
        elif isinstance(setting, dict) and not isinstance(wanted, dict):
            setting = setting.get("name", MISSING)
        if setting is MISSING or setting != wanted:
            return False
    return True


def _is_own(claim: Claim, record: RunRecord) -> bool:
    """True for a run whose config is that of the claim's experiment with its settings and nothing else."""
    scale = [] if record.scale is None else [f"scale={record.scale}"]
    composed = _composed(claim.experiment, *scale, *claim.overrides)
    return fingerprint({**record.config, "seed": 0}) == fingerprint({**composed, "seed": 0})


@cache
def _composed(experiment: str, *overrides: str) -> Mapping[str, Any]:
    try:
        return compose([f"experiment={experiment}", *overrides]).config
    except AssayError:  # a claim on an experiment that is there no longer
        return {}


def command_of(claim: Claim, paper: str, scale: str | None, seeds: Sequence[int]) -> str:
    """The command that brings the figure about: `assay reproduce` for seeds 0 to N-1, else the runs themselves."""
    at_scale = [] if scale is None else [scale]
    if not seeds or list(seeds) == list(range(len(seeds))):
        words = ["assay", "reproduce", paper, *(word for name in at_scale for word in ("--scale", name))]
        words += ["--seeds", str(len(seeds))] if seeds else []
        return shlex.join([*words, "--claims", claim.id])
    words = ["assay", "run", "-m", f"experiment={claim.experiment}", *claim.overrides]
    return shlex.join([*words, *(f"scale={name}" for name in at_scale), f"seed={','.join(map(str, seeds))}"])


def _figure(claim: Claim, run: RunRecord) -> float | None:
    names = [claim.metric] if claim.minus is None else [claim.metric, claim.minus]
    if any(name not in run.metrics for name in names):
        return None
    return run.metrics[names[0]] - (run.metrics[names[1]] if len(names) == 2 else 0.0)


def _absent_metric(claim: Claim, runs: Sequence[RunRecord]) -> str | None:
    names = [claim.metric] if claim.minus is None else [claim.metric, claim.minus]
    return next((name for name in names for run in runs if name not in run.metrics), None)


def _weight(group: SeedGroup) -> tuple[int, str]:
    return len(group.runs), max(str(run.status.get("finished", "")) for run in group.runs)


def _count(seeds: int) -> str:
    return "no finished run" if seeds == 0 else f"{seeds} seed"
