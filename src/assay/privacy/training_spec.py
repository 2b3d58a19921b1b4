"""A privacy choice for training as the user states it, turned into noise, account and ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.privacy.accounting.accountants import open_accountant
from assay.privacy.accounting.calibration import noise_multiplier_for
from assay.privacy.accounting.steps import Accountant
from assay.privacy.accounting.training import NoisySteps, TrainingAccount
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger
from assay.privacy.relations import Relation, Sensitivity

if TYPE_CHECKING:
    import torch

    from assay.privacy.noise.sources import NoiseSource


@dataclass(frozen=True)
class TrainingPrivacy:
    """White noise on clipped sums over Poisson samples, with its budget.

    Guarantee: `noise_multiplier` and `open_ledger` describe the same steps, so that those planned spend the budget, and one
    more is refused.
    """

    name: str = "white"
    epsilon: float = 8.0
    delta: float = 1e-5
    relation: str = Relation.ADD_REMOVE
    max_grad_norm: float = 1.0
    clipping: str = "flat"
    accountant: str = "prv"
    secure_noise: bool = False

    @cached_property
    def budget(self) -> Budget:
        """What may be spent."""
        return Budget(self.epsilon, self.delta, Relation(self.relation))

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """Of one clipped sum."""
        return Sensitivity(self.max_grad_norm, self.budget.relation)

    @cached_property
    def _accountant(self) -> Accountant:
        return open_accountant(self.accountant)

    def noise_multiplier(self, sample_rate: float, steps: int) -> float:
        """Deviation of the noise in clipping norms, for `steps` steps on Poisson samples."""
        return noise_multiplier_for(self.budget, self.sensitivity, self._accountant, sample_rate, steps)

    def open_ledger(self, path: Path | None = None) -> Ledger[NoisySteps]:
        """An empty ledger, kept in a file of JSON lines if there is a path."""
        return Ledger(TrainingAccount(self.budget, self.sensitivity, self._accountant), path)

    def noise(
        self, seed_of: Callable[[int], int], dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> NoiseSource:
        """The seeded source, or the secure one if `secure_noise`."""
        from assay.privacy.noise.sources import open_noise

        return open_noise(self.secure_noise, seed_of, dtype, device)
