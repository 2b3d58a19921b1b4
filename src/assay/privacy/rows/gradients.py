"""Base classes of mechanisms that release clipped gradients of single rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from assay.config.limits import above, at_least, share
from assay.errors import InputError
from assay.privacy.relations import Sensitivity
from assay.privacy.releases import Releases
from assay.privacy.rows.account import RowAccount
from assay.privacy.rows.releases import RowReleases
from assay.privacy.rows.reuse import ReuseMatrix, burn_in_rounds

if TYPE_CHECKING:
    from assay.config.choices import Choices


@dataclass(frozen=True)
class RowGradients(RowReleases):
    """One clipped gradient of a row in each evaluation, with Gaussian noise.

    A mechanism is a subclass: it may change the clipping norm (`clipped`), the noise of each release (`noise_multipliers`)
    and the combination of releases that a round steps along (`reuses`, `reuse_matrix`). `combines_by_matrix` is for
    combinations that are no means weighted by `release_weights`.

    Guarantee: `noise_multipliers(k)` and `open_account` describe the same releases, so that k releases of a row spend the
    budget, and one more is refused.
    """

    releases: ClassVar[Releases | None] = Releases.ROW_GRADIENT
    combines_by_matrix: ClassVar[bool] = False

    def clipped(self, public_norm: Callable[[float], float]) -> Sensitivity:
        """Sensitivity of a clipped gradient; `public_norm(q)` is the q-quantile of the norms of public rows' gradients."""
        raise NotImplementedError

    def noise_multipliers(self, releases: int) -> NDArray[np.float64]:
        """Deviations of the noise [k], in clipping norms, of `releases` releases of each row."""
        return np.full(releases, self.budget.noise_multiplier(releases, Sensitivity(1.0, self.budget.relation)))

    def release_weights(self, releases: int) -> NDArray[np.float64]:
        """Weight of each release [k] in a mean of them: the inverse of its noise variance, 1 for the first."""
        multipliers = self.noise_multipliers(releases)
        return np.asarray((multipliers[0] / multipliers) ** 2)

    def reuse_matrix(self, evaluations: int, wave: int = 1) -> ReuseMatrix:
        """Combination of releases that each round steps along."""
        if not self.reuses:
            return ReuseMatrix.identity(evaluations)
        return ReuseMatrix.weighted(self.release_weights(evaluations), wave)

    def open_account(self, sensitivity: Sensitivity, rows: int, replicates: int = 1) -> RowAccount:
        """An empty account for a table of `rows` rows."""
        return RowAccount(self.budget, sensitivity, rows, replicates)


@dataclass(frozen=True)
class GivenNorm(RowGradients):
    """Gradients clipped to a norm that the user gives."""

    max_grad_norm: Annotated[float, above(0, "the L2 norm that a row's gradient is clipped to, e.g. 1.0")] = 1.0

    @property
    def sensitivity(self) -> Sensitivity:
        """Of one clipped gradient."""
        return Sensitivity(self.max_grad_norm, self.budget.relation)

    def clipped(self, public_norm: Callable[[float], float]) -> Sensitivity:
        """The sensitivity of the given norm; public rows are not asked."""
        return self.sensitivity


@dataclass(frozen=True)
class PublicNorm(RowGradients):
    """Gradients clipped to a quantile of the gradient norms of public rows at the public start."""

    clip_quantile: Annotated[float, share("0.1 is 10 %")] = 0.1

    def clipped(self, public_norm: Callable[[float], float]) -> Sensitivity:
        """The sensitivity of the norm of public rows."""
        return Sensitivity(public_norm(self.clip_quantile), self.budget.relation)


@dataclass(frozen=True)
class BurnIn(RowGradients):
    """Leaves the first evaluations out of the values: a share of them below 1, a number from 1 on."""

    burns_in: ClassVar[bool] = True

    burn_in: Annotated[
        float, at_least(0, "a share of the evaluations below 1, or a number of them from 1 on; 0 leaves out none")
    ] = 0.5

    def burn_in_rounds(self, evaluations: int) -> int:
        """Rounds left out of the values; InputError when none would remain."""
        return burn_in_rounds(self.burn_in, evaluations)

    def check(self, run: Choices) -> None:
        """Raises InputError as well unless evaluations remain after the burn-in, whichever number of them is asked for."""
        super().check(run)
        if self.burn_in < 1:
            return
        if not float(self.burn_in).is_integer():
            raise InputError("privacy.burn_in", f"{self.burn_in:g}", "must be a whole number", "or a share below 1")
        key, numbers = _planned_evaluations(run)
        if numbers and self.burn_in >= min(numbers):
            limit = f"must be below every number of evaluations, and {key} has {min(numbers)}"
            remedy = "a share below 1 fits every number, e.g. privacy.burn_in=0.5"
            raise InputError("privacy.burn_in", f"{self.burn_in:g}", limit, remedy)


def _planned_evaluations(run: Choices) -> tuple[str, Sequence[int]]:
    """Key and numbers of the evaluations of a run: those that the task compares, or the valuator's."""
    compared = getattr(run.task, "evaluations", None)
    if compared:
        return "task.evaluations", compared
    single = getattr(run.valuation, "evaluations", None)
    return "valuation.evaluations", [single] if single else []
