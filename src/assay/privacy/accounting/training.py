"""The account of private training: noisy steps on sums over sampled rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.privacy.accounting.calibration import steps_within
from assay.privacy.accounting.steps import Accountant, Steps
from assay.privacy.budget import Budget
from assay.privacy.ledger import OverspentError
from assay.privacy.poisson import PoissonSampler
from assay.privacy.relations import Sensitivity


@dataclass(frozen=True)
class NoisySteps:
    """`count` steps with noise of deviation `noise_multiplier` clipping norms, on batches of `sampler`.

    Without a sampler every row counts as taking part in every step. The sample rate is read from the sampler, so that no
    step is accounted for at another rate than it is drawn at.
    """

    noise_multiplier: float
    sampler: PoissonSampler | None = None
    count: int = 1

    @property
    def sample_rate(self) -> float:
        """Probability with which a row takes part in a step."""
        return 1.0 if self.sampler is None else self.sampler.sample_rate


class TrainingAccount:
    """Counts noisy steps and refuses the one whose epsilon, by the accountant, would exceed the budget.

    The accountant is asked once for each change of noise or sample rate: how many such steps fit. A charge is then a
    comparison of two counts. Steps of different kinds compose in one account, whatever their order.

    Guarantee: after any sequence of accepted charges, the steps together are (epsilon, delta)-DP under the budget's
    relation, for an adaptive choice of gradients that are clipped to the sensitivity.
    """

    def __init__(self, budget: Budget, sensitivity: Sensitivity, accountant: Accountant) -> None:
        self.budget, self.sensitivity, self.accountant = budget, sensitivity, accountant
        self._counts: dict[tuple[float, float], int] = {}
        self._open: tuple[float, float] | None = None
        self._affordable = 0

    @property
    def history(self) -> list[Steps]:
        """Steps counted so far, one element for each kind, in units of the sensitivity."""
        return [Steps(*kind, count) for kind, count in self._counts.items()]

    def remaining(self, release: NoisySteps) -> int:
        """Number of further steps of this kind that the budget allows; raises InputError for steps that have no account."""
        steps = Steps.under(self.budget.relation, release.noise_multiplier, release.sample_rate, 0)
        kind = steps.kind
        if kind != self._open:
            others = [Steps(*other, count) for other, count in self._counts.items() if other != kind]
            self._affordable = steps_within(self.budget, self.accountant, steps, others)
            self._open = kind
        return max(0, self._affordable - self._counts.get(kind, 0))

    def charge(self, release: NoisySteps) -> None:
        """Counts steps that are about to be made; raises OverspentError, with nothing counted, if one of them must not be."""
        left = self.remaining(release)
        if release.count > left:
            raise OverspentError(
                f"privacy.epsilon={self.budget.epsilon:g}: {release.count} further steps, and {left} fit by "
                f"privacy.accountant={self.accountant.name}; none was made (plan fewer steps or a larger budget)"
            )
        if release.count < 1:
            raise ValueError(f"count={release.count}: a charge is for one step or more")
        kind = Steps.under(self.budget.relation, release.noise_multiplier, release.sample_rate, release.count).kind
        self._counts[kind] = self._counts.get(kind, 0) + release.count

    def epsilon(self) -> float:
        """Epsilon spent at the budget's delta by the chosen accountant."""
        return self.accountant.epsilon(self.history, self.budget.delta)

    def delta(self) -> float:
        """The budget's delta."""
        return self.budget.delta

    def totals(self) -> dict[str, Any]:
        """Steps counted in all, and the accountant of their cost."""
        return {"steps": sum(self._counts.values()), "accountant": self.accountant.name}

    def state_dict(self) -> dict[str, Any]:
        """The history."""
        return {"history": [[*kind, count] for kind, count in self._counts.items()]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the history of an earlier account; how much is left is computed afresh."""
        self._counts = {(float(noise), float(rate)): int(count) for noise, rate, count in state["history"]}
        self._open = None
