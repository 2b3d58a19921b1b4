"""Settings that estimators of values along gradients share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from assay.config.limits import above, at_least
from assay.errors import InputError
from assay.valuation.semivalues import semivalue_weights


@dataclass(frozen=True)
class DescentSettings:
    """A semivalue whose training is gradient descent: its weights, the descent and the utility.

    `alpha` and `beta` are of Beta Shapley. `evaluations` are permutations, or rounds of federated training. `initialisation`
    auto is zeros where they can train, else random; public is fitted on the valid split.
    """

    semivalue: Literal["shapley", "beta", "banzhaf"] = "shapley"
    alpha: Annotated[float, above(0, "a parameter of Beta Shapley")] = 1.0
    beta: Annotated[float, above(0, "a parameter of Beta Shapley")] = 1.0
    evaluations: Annotated[int, at_least(1, "a row needs one evaluation at the least")] = 40
    learning_rate: Annotated[float, above(0, "e.g. 0.05")] = 0.05
    utility: Literal["negative_loss", "accuracy"] = "negative_loss"
    initialisation: Literal["auto", "zeros", "random", "public"] = "auto"

    @classmethod
    def of(cls, settings: DescentSettings, **further: Any) -> Self:
        """This kind of settings with the values of another kind, and further ones."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(DescentSettings)}, **further)

    def weights(self, players: int) -> NDArray[np.float64]:
        """Weight of the semivalue at each position of a permutation [players]."""
        return semivalue_weights(self.semivalue, players, self.alpha, self.beta)


@dataclass(frozen=True)
class GradientSettings(DescentSettings):
    """Settings of values of rows.

    `bootstrap` is the number of repetitions behind the standard errors where releases are reused. `permutations`: plain, or
    antithetic: every second one is the one before from its end. `wave` permutations are walked at the same time.
    """

    bootstrap: Annotated[int, at_least(0, "0 leaves out the standard errors of reused releases")] = 24
    permutations: Literal["plain", "antithetic"] = "plain"
    wave: Annotated[int, at_least(1, "1 walks one permutation after the other")] = 1

    @property
    def antithetic(self) -> bool:
        """True where permutations come in pairs, one the reverse of the other."""
        return self.permutations == "antithetic"

    def refuse_walks(self, limit: str) -> None:
        """Raises InputError with this limit for waves and antithetic permutations."""
        plain = GradientSettings()
        for key in ("wave", "permutations"):
            given, only = getattr(self, key), getattr(plain, key)
            if given != only:
                raise InputError(f"valuation.{key}", given, limit, f"use valuation.{key}={only}")
