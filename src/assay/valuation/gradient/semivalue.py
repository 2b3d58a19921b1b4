"""valuation=gradient_semivalue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from assay.errors import InputError
from assay.privacy.releases import Releases
from assay.valuation.gradient.settings import GradientSettings

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.estimates import Estimates
    from assay.valuation.gradient.estimates import Subtables
    from assay.valuation.gradient.federated import FederatedShapley
    from assay.valuation.gradient.party_semivalue import PartySemivalue
    from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class GradientSemivalue(GradientSettings):
    """Semivalues by one-pass SGD (G-Shapley), each row met once in each of `evaluations` permutations.

    With a mechanism that releases gradients each meeting is one clipped and noised release of the row's gradient, so that a
    row is touched exactly `evaluations` times; values are computed from the releases and from the public valid split alone.
    Mechanisms that release a row once are estimated along public trajectories (`estimators`).

    With antithetic permutations standard errors are taken over the pairs, which are independent where rounds are not. `wave`
    permutations are walked as further lanes of a batch. Without reuse of releases that changes no value; with it a step
    combines the releases of earlier waves with its own, so that its noise variance in wave b is 1/(wave (b - 1) + 1) of a
    release's and not 1/t. Each round still makes one release of each row, with the noise of its number and entered in the
    account on its own.
    Cost: one gradient step for each row and evaluation, walked side by side in batches of permutations.
    Source: Ghorbani & Zou 2019; 2412.17008 as reconstructed.
    """

    accounts_for: ClassVar[frozenset[Releases]] = frozenset(
        {Releases.ROW_GRADIENT, Releases.ROW_VECTOR, Releases.ROW_NUMBER, Releases.ROW_NUMBERS}
    )
    players: ClassVar[Literal["rows", "sources"]] = "rows"
    good_for: ClassVar[str] = (
        "ranking the rows of one table for training by gradient steps; low values are where to look for wrong labels first, "
        "and a single low value proves nothing"
    )
    takes_subtables: ClassVar[bool] = True

    name: str = "gradient_semivalue"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """One estimate with standard errors: over rounds where they are independent, by a bootstrap where releases are reused.

        Raises InputError for a model without per-row gradients or one that does not fit the target.
        """
        from assay.valuation.gradient.estimators import estimator_of

        return estimator_of(problem.privacy)(self, problem, run, "values").valuation(run.parts.file("values.pt"))

    def replicates(
        self,
        problem: Problem,
        run: Run,
        count: int,
        *,
        purpose: str = "values",
        burn_ins: Sequence[float] = (),
        subtables: Subtables | None = None,
    ) -> Estimates:
        """Values of the train split, `count` times [count, n]; `purpose` names the random streams.

        `burn_ins` are further burn-ins, as shares of the evaluations or numbers of them, whose values come from the same
        rounds; `subtables` gives every replicate a table in the place of the train split, and rows outside it the value NaN.
        Both are for mechanisms that release gradients. Raises InputError for a model without per-row gradients or one that
        does not fit the target.
        """
        from assay.valuation.gradient.estimators import estimator_of

        further: dict[str, Any] = {"burn_ins": burn_ins} if burn_ins else {}
        further |= {} if subtables is None else {"subtables": subtables}
        if further and problem.privacy.one_release:
            raise ValueError(f"{problem.privacy.name} makes one release, which has neither burn-ins nor subtables")
        estimator = estimator_of(problem.privacy)(self, problem, run, purpose, count, **further)
        return estimator.estimates(run.parts.file(f"{purpose}.pt"))

    def of_sources(self, level: str) -> PartySemivalue:
        """The same semivalue of the sources of the train split; InputError for walks that sources do not make."""
        from assay.valuation.gradient.party_semivalue import PartySemivalue

        self.refuse_walks("sources are walked in plain permutations, one at a time")
        return PartySemivalue.of(self, level=level, bootstrap=self.bootstrap)

    def of_clients(self, **rounds: Any) -> FederatedShapley:
        """Values of the sources as clients of federated rounds, with the further options of FederatedShapley."""
        from assay.valuation.gradient.federated import FederatedShapley

        self.refuse_walks("clients are walked in plain permutations, one at a time")
        return FederatedShapley.of(self, **rounds)

    def check(self, run: Choices) -> None:
        """Raises InputError for a model without row gradients, a utility that the target lacks, and settings without effect."""
        if not run.model.row_gradients:
            limit = f"follows gradients and model={run.model.name} has none of single rows"
            raise InputError("valuation", self.name, limit, "use valuation=semivalue, or model=auto")
        if self.utility == "accuracy" and getattr(run.dataset, "kind", None) == "regression":
            limit = f"counts right classes and dataset={run.dataset.name} is a regression dataset"
            raise InputError("valuation.utility", self.utility, limit, "use valuation.utility=negative_loss")
        if run.privacy.one_release:
            limit = f"privacy={run.privacy.name} makes one release and walks no private permutation"
            self.refuse_walks(limit)
