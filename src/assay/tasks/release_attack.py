"""Attacks on one row's released number by an attacker who knows everything but the secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from assay.learning.modules.permutation_pass import Rows
from assay.privacy.audit import audit_scores, most_proven
from assay.privacy.relations import Relation
from assay.runs import of_account
from assay.valuation.gradient.directed.design import Design, mislabelled
from assay.valuation.gradient.directed.estimate import DirectedRelease, changed_record_epsilon

if TYPE_CHECKING:
    from torch import Tensor

    from assay.valuation.valuator import Problem, Run

LEVERAGES = (1.0, 2.0, 4.0, 8.0)
"""Factors on the features of audited rows, so that their values lie beyond the clip: the worst that a row can be."""


def attacks(trials: int, problem: Problem, valuator: Any, run: Run) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """A line for each attack with and without the clip, with its bound; and the clip."""
    streams, release = run.streams, DirectedRelease(valuator, problem, run, "audit")
    privacy = release.privacy
    public = release.along.thetas(release.privacy.paths)
    design = release.design(public)
    values = _worst_row(release, public, design.clip, len(problem.data.classes), streams.generator("audited row"))
    changed = changed_record_epsilon(release.privacy, design)
    present = privacy.epsilon if privacy.budget.relation is Relation.ZERO_OUT else changed
    lines = []
    for clipped in (True, False):
        x = [min(max(value, -1.0), 1.0) if clipped else value for value in values]
        for attack, other, bound in (("membership", None, present), ("attribute", x[1], changed)):
            inside, outside = (
                _releases(trials, design, each, streams.generator("audit", attack, int(clipped), world))
                for world, each in (("row", x[0]), ("other", other))
            )
            scores = asdict(audit_scores(inside, outside, delta=privacy.guaranteed_delta))
            proven = scores.pop("epsilon")
            excess = proven - bound
            most = most_proven(trials, privacy.guaranteed_delta)
            lines.append(
                {"attack": attack, "clipped": clipped, **scores}
                | {"proven_epsilon": proven, "most_proven": most, "bound": bound, "excess": excess}
            )
    return lines, {"clip": design.clip}


def metrics_of(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The scores of each attack under its name and whether it meets the clip."""
    metrics: dict[str, float] = {}
    for line in lines:
        where = f"{line['attack']}/{'clipped' if line['clipped'] else 'unclipped'}"
        keys = ("auc", "tpr_at_1_percent", "proven_epsilon", "excess")
        metrics |= {f"{where}/{key}": float(line[key]) for key in keys}
    return metrics


def ledger_of(privacy: Any) -> list[dict[str, Any]]:
    """The account of the release under attack; the attacker's own draws repeat it with seeds that he knows."""
    entry = {
        "epsilon": privacy.epsilon,
        "delta": privacy.guaranteed_delta,
        "relation": privacy.relation,
        "noise": "seeded",
    }
    return list(of_account([entry], "audit", 1))


def _releases(trials: int, design: Design, x: float | None, generator: np.random.Generator) -> Any:
    """`trials` released numbers of x, or of no row; the larger speaks for the row as it is."""
    first, second = (torch.from_numpy(generator.standard_normal(trials)) for _ in range(2))
    if x is None:
        return design.law.absent(first, second).numpy()
    return design.law.release(torch.full((trials,), x, dtype=torch.float64), first, second).numpy()


def _worst_row(
    release: DirectedRelease, public: Tensor, clip: float, classes: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Values in clips of one row as it is and with a wrong target: the pair that lies furthest apart once clipped.

    Searched for among all train rows, with their features enlarged by each of `LEVERAGES`.
    """
    best = (-np.inf, 0.0, 0.0)
    for leverage in LEVERAGES:
        rows = Rows(release.train.features * leverage, release.train.target)
        wrong = mislabelled(rows, classes, generator) if classes else Rows(rows.features, -rows.target)
        values, others = (release.exact_values(each, public).cpu() / clip for each in (rows, wrong))
        gaps = values.clamp(-1, 1) - others.clamp(-1, 1)
        place = int((gaps + 1e-3 * (values - others).clamp(-99, 99)).argmax())
        best = max(best, (float(gaps[place]), float(values[place]), float(others[place])))
    return best[1], best[2]
