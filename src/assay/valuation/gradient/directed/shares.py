"""Values for several utilities, each with an equal share of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assay.errors import InputError
from assay.learning.modules.permutation_pass import Rows
from assay.privacy.ledger import Ledger
from assay.privacy.rows.numbers import RowNumber
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.valuator import Problem, Run


@dataclass(frozen=True, eq=False)
class Utility:
    """A score on some public rows."""

    score: Literal["negative_loss", "accuracy"]
    judges: Rows


@dataclass(frozen=True, eq=False)
class Shared:
    """Estimates for each utility with the one ledger of all their releases."""

    estimates: list[Estimates]
    ledger: Ledger[Any]


def budget_shares(
    settings: GradientSettings,
    problem: Problem,
    run: Run,
    purpose: str,
    utilities: Sequence[Utility],
    replicates: int = 1,
) -> Shared:
    """One directed release of each row for each of m utilities, with epsilon / m each by pure laws.

    Raises InputError for a mechanism whose shares would not add up in epsilon (one that spends delta); ValueError without a
    utility. All releases are charged to one account of the whole budget, from which each estimate's epsilon is read as the
    epsilon spent by then.

    Guarantee: all m releases together are (epsilon, 0)-DP for each row under the budget's relation, by basic composition.
    """
    privacy = problem.privacy
    if not isinstance(privacy, RowNumber) or privacy.guaranteed_delta:
        limit = "shares of epsilon add up for pure laws along public trajectories alone"
        raise InputError("privacy", privacy.name, limit, "use privacy=directed or directed_subspace")
    if not utilities:
        raise ValueError("budget_shares needs a utility at the least")
    ledger: Ledger[Any] = privacy.open_ledger(privacy.open_account(len(problem.data.train), replicates))
    share = replace(problem, privacy=replace(privacy, epsilon=privacy.epsilon / len(utilities)))
    estimates = []
    for number, utility in enumerate(utilities):
        judged = replace(settings, utility=utility.score)
        # separate noise for each: the same draws twice would cancel in a difference
        name = f"{purpose} utility {number}"
        release = DirectedRelease(judged, share, run, name, replicates, judges=utility.judges, ledger=ledger)
        estimates.append(release.estimates())
    return Shared(estimates, ledger)
