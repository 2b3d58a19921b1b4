"""A privacy choice as the user states it, turned into budget, sensitivity, noise and account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.privacy.budget import Budget
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.account import RowAccount
from assay.privacy.rows.mechanisms import Mechanism
from assay.privacy.rows.reuse import ReuseMatrix, burn_in_rounds, front_loaded_shares

if TYPE_CHECKING:
    import torch

    from assay.privacy.noise.sources import NoiseSource


@dataclass(frozen=True)
class PrivacySpec:
    """A mechanism with its budget; `PrivacySpec("none")` is no privacy at all.

    Guarantee: `noise_multiplier(k)` and `open_account` describe the same releases, so that k releases of a row spend the
    budget, and one more is refused.
    """

    name: str
    epsilon: float = 8.0
    delta: float = 1e-5
    relation: str = Relation.ZERO_OUT
    max_grad_norm: float = 1.0
    burn_in: float = 0.0
    secure_noise: bool = False
    clip_quantile: float = 0.1
    law: str = "auto"
    clip: float | None = None
    paths: int = 24
    path_share: float = 0.25
    dimensions: int = 2
    path_quantile: float = 0.5
    first_share: float = 0.9
    matrix: str | None = None

    @cached_property
    def mechanism(self) -> Mechanism:
        """How noise is drawn and correlated."""
        return Mechanism(self.name)

    @cached_property
    def budget(self) -> Budget:
        """What may be spent."""
        return Budget(self.epsilon, self.delta, Relation(self.relation))

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """Of one clipped gradient."""
        return Sensitivity(self.max_grad_norm, self.budget.relation)

    @property
    def scalar_law(self) -> str:
        """The law of a directed release, or auto."""
        gaussian = (Mechanism.DIRECTED_GAUSSIAN, Mechanism.DIRECTED_SUBSPACE)
        return "gaussian" if self.mechanism in gaussian else self.law

    @property
    def share_of_path(self) -> float:
        """The share of epsilon that a directed release spends on its trajectory; 0 where that is public."""
        return self.path_share if self.mechanism is Mechanism.DIRECTED_PRIVATE_PATH else 0.0

    def noise_multiplier(self, releases: int) -> float:
        """Deviation of the noise in clipping norms, for `releases` releases of each row."""
        return self.budget.noise_multiplier(releases, self.sensitivity)

    def noise_multipliers(self, releases: int) -> NDArray[np.float64]:
        """The same for each of `releases` releases [k], which are not alike where the budget is front-loaded."""
        if self.mechanism is Mechanism.FRONT_LOADED:
            return self.budget.noise_multipliers(front_loaded_shares(self.first_share, releases), self.sensitivity)
        return np.full(releases, self.noise_multiplier(releases))

    def release_weights(self, releases: int) -> NDArray[np.float64]:
        """What each release [k] counts for in a mean of them: the inverse of its noise variance, 1 for the first."""
        multipliers = self.noise_multipliers(releases)
        return np.asarray((multipliers[0] / multipliers) ** 2)

    def reuse_matrix(self, evaluations: int, wave: int = 1) -> ReuseMatrix:
        """How each of the rounds combines releases; reads the file of privacy=lower_triangular, with its InputErrors."""
        if self.mechanism is Mechanism.LOWER_TRIANGULAR:
            return ReuseMatrix.read(self.matrix or "", evaluations, wave)
        if not self.mechanism.reuses:
            return ReuseMatrix.of(self.mechanism, evaluations)
        return ReuseMatrix.weighted(self.release_weights(evaluations), wave)

    def with_max_grad_norm(self, norm: float) -> PrivacySpec:
        """The same mechanism for gradients clipped to another norm, which its sensitivity then carries."""
        return replace(self, max_grad_norm=norm)

    def burn_in_rounds(self, evaluations: int) -> int:
        """Rounds that every mechanism but those with burn-in keeps: none are left out."""
        if not self.mechanism.burns_in:
            return 0
        return burn_in_rounds(self.burn_in, evaluations)

    def open_account(self, rows: int, replicates: int = 1) -> RowAccount:
        """An empty account for a table of `rows` rows; raises InputError under a relation that it has no meaning for."""
        return RowAccount(self.budget, self.sensitivity, rows, replicates)

    def noise(
        self, seed_of: Callable[[int], int], dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> NoiseSource:
        """The seeded source, or the secure one if `secure_noise`."""
        from assay.privacy.noise.sources import open_noise

        return open_noise(self.secure_noise, seed_of, dtype, device)
