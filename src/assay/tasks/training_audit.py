"""Does a private training keep its guarantee against an attacker who sees every noised sum?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assay.errors import InputError
from assay.privacy.releases import Releases
from assay.runs import Outcome
from assay.tasks.needs import check_trains
from assay.tasks.recipe import AttackedRecipe

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class AuditTraining(AttackedRecipe):
    """Trains once with canaries, each in the table or not by a fair coin, and guesses which are.

    canary=gradient: rows whose gradients are fixed orthogonal directions in the network's parameters, loud enough to be
    clipped. The attacker sees every noised sum, knows all other rows, and scores a canary by the sums' parts along its
    direction. The law of these scores under the account is known: measured effect, noise and spread must not exceed it.
    canary=label: train rows with wrong labels; the attacker sees the first and the last network, and scores by the loss.
    Either way the `guesses` on highest and lowest scores, as many as are fixed before the training, bound epsilon from below
    (Steinke, Nasr & Jagielski, arXiv 2305.08846).
    draws: the numbers of steps in which rows are drawn must spread as those of fresh coins do.
    neighbours: one step on a table with and without a row, with the same coins and noise, for `rows` rows as they are, as
    many with a wrong label, far out, and canaries: the noised sum must not change by more than the clipping norm.
    """

    reads_test: ClassVar[bool] = False
    accounts_for: ClassVar[frozenset[Releases]] = frozenset({Releases.BATCH_SUM})
    estimates: ClassVar[int] = 0  # none with noise that nobody can draw again

    name: str = "training_audit"

    def check(self, run: Choices) -> None:
        """Raises InputError without privacy, for noise that counts as a release, and for a model without gradients."""
        if not run.privacy.private:
            raise InputError("privacy", run.privacy.name, "there is no guarantee to attack", "use privacy=white")
        if run.privacy.secure_noise:
            limit = f"task={self.name} is a rehearsal and would spend the budget many times"
            raise InputError("privacy.secure_noise", "true", limit, "leave it out")
        check_trains(run)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables `summary` (a line for each attack), `canaries` and `neighbours`; the same as flat metrics."""
        from assay.tasks.canary_audit import audited

        return audited(self, problem, run)
