"""Base classes of the options of group privacy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from assay.config.limits import above, at_least, inside, not_empty
from assay.errors import InputError
from assay.privacy.budget import Budget
from assay.privacy.ceilings import detection_ceiling
from assay.privacy.ledger import Account, Ledger
from assay.privacy.relations import Relation
from assay.privacy.releases import Releases

if TYPE_CHECKING:
    import torch

    from assay.config.choices import Choices
    from assay.privacy.noise.sources import NoiseSource

ReleaseT = TypeVar("ReleaseT")


@dataclass(frozen=True)
class Privacy:
    """A privacy option and its capabilities; this base class releases nothing under noise and protects nobody.

    `releases` is the released quantity. `reuses`: later evaluations combine the releases of earlier ones. `burns_in`: the
    first evaluations are left out of the values. `one_release`: a row's data is released once, so that the number of
    evaluations costs no privacy. `for_sources`: its releases have an account of whole sources.
    """

    releases: ClassVar[Releases | None] = None
    reuses: ClassVar[bool] = False
    burns_in: ClassVar[bool] = False
    one_release: ClassVar[bool] = False
    for_sources: ClassVar[bool] = False

    name: str = "none"

    @property
    def private(self) -> bool:
        """True where releases are bounded, noised and accounted for."""
        return self.releases is not None

    @property
    def mu(self) -> float:
        """Gaussian-DP parameter of all releases together; infinite without privacy."""
        return math.inf

    def detection_ceiling(self) -> float:
        """Upper bound on the ROC-AUC with which any reader of the releases detects corrupted rows."""
        return 1.0

    def burn_in_rounds(self, evaluations: int) -> int:
        """Rounds left out of the values."""
        return 0

    def check(self, run: Choices) -> None:
        """Raises InputError where other choices of the run contradict this one."""


@dataclass(frozen=True)
class Budgeted(Privacy):
    """A privacy option with an (epsilon, delta) budget.

    `total` limits the sum of epsilon over runs of one table, `table` is the id that the user gives it. `secure_noise` takes
    the operating system's entropy in the place of the run's seed.
    """

    epsilon: Annotated[
        float,
        above(0, "use privacy=none for a run without privacy"),
        at_least(1e-6, "noise of so small a budget leaves nothing of a value"),
    ] = 8.0
    delta: Annotated[float, inside(0, 1, "e.g. 1e-5, well below one over the number of rows")] = 1e-5
    relation: str = Relation.ZERO_OUT
    secure_noise: bool = False
    total: Annotated[float | None, above(0, "null sets no limit over runs")] = None
    table: Annotated[
        str | None, not_empty("a name of your choice for the private table, the same in all runs on it")
    ] = None

    @cached_property
    def budget(self) -> Budget:
        """Epsilon and delta that may be spent, and the neighbouring relation."""
        return Budget(self.epsilon, self.delta, Relation(self.relation))

    @property
    def mu(self) -> float:
        """Gaussian-DP parameter of the budget."""
        return self.budget.mu

    @property
    def guaranteed_delta(self) -> float:
        """Delta of the guarantee: 0 where pure laws spend epsilon alone."""
        return self.delta

    def detection_ceiling(self) -> float:
        """Bound of Gaussian releases that spend the budget."""
        return detection_ceiling(self.budget.mu, self.budget.relation)

    def open_ledger(self, account: Account[ReleaseT], path: Path | None = None) -> Ledger[ReleaseT]:
        """A ledger over an empty account, recorded in a file of JSON lines where there is a path."""
        return Ledger(account, path, table=self.table)

    def noise(
        self, seed_of: Callable[[int], int], dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> NoiseSource:
        """The seeded source, or the secure one if `secure_noise`."""
        from assay.privacy.noise.sources import open_noise

        return open_noise(self.secure_noise, seed_of, dtype, device)

    def check(self, run: Choices) -> None:
        """Raises InputError for a total over runs of a table without an id."""
        if self.total is not None and self.table is None:
            limit = "adds up epsilon over the runs on one table, and the table has no id"
            raise InputError("privacy.total", f"{self.total:g}", limit, "add privacy.table=NAME")
