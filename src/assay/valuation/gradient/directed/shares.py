"""Values for several utilities, each with an equal share of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.errors import InputError
from assay.learning.modules.permutation_pass import Rows
from assay.privacy.ledger import Ledger
from assay.privacy.rows.mechanisms import Mechanism
from assay.privacy.rows.pure_account import PureAccount
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.estimates import Estimates
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from assay.valuation.gradient.semivalue import GradientSemivalue


@dataclass(frozen=True, eq=False)
class Utility:
    """A score, `negative_loss` or `accuracy`, on some public rows."""

    score: str
    judges: Rows


@dataclass(frozen=True, eq=False)
class Shared:
    """Estimates for each utility with the one ledger of all their releases."""

    estimates: list[Estimates]
    ledger: Ledger[Any]


def budget_shares(
    choice: GradientSemivalue,
    problem: Problem,
    run: Run,
    purpose: str,
    utilities: Sequence[Utility],
) -> Shared:
    """One directed release of each row for each of m utilities, with epsilon / m each by pure laws.

    Raises InputError for another mechanism than `directed` and for the Gaussian law, whose shares would not add up in
    epsilon; ValueError without a utility. All releases are charged to one account of the whole budget, from which each
    estimate's epsilon is read as what had been spent by then.

    Guarantee: all m releases together are (epsilon, 0)-DP for each row under the budget's relation, by basic composition.
    """
    privacy = problem.privacy
    if privacy.mechanism is not Mechanism.DIRECTED or privacy.law == "gaussian":
        told = "shares of epsilon add up for pure laws along public trajectories alone"
        raise InputError("privacy", privacy.name, told, "use privacy=directed with a pure law, or directed_subspace")
    if not utilities:
        raise ValueError("budget_shares needs a utility at the least")
    ledger: Ledger[Any] = Ledger(PureAccount(privacy.budget, len(problem.data.train), choice.replicates))
    share = replace(problem, privacy=replace(privacy, epsilon=privacy.epsilon / len(utilities)))
    found = []
    for number, utility in enumerate(utilities):
        judged = replace(choice, utility=utility.score)
        # noise of its own for each: the same draws twice would cancel in a difference
        name = f"{purpose} utility {number}"
        release = DirectedRelease(judged, share, run, name, judges=utility.judges, ledger=ledger)
        found.append(release.run().estimates)
    return Shared(found, ledger)
