"""The ledger: releases charged to an account before they are made, with a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from assay.errors import AssayError
from assay.privacy.budget import Budget
from assay.privacy.record import Record
from assay.privacy.relations import Sensitivity

NoiseKind = Literal["secure", "seeded"]
"""Source of noise: the operating system's entropy, or a seed, which whoever knows it can subtract."""

ReleaseT = TypeVar("ReleaseT")
ReleaseT_contra = TypeVar("ReleaseT_contra", contravariant=True)


class OverspentError(AssayError):
    """Refusal of a release that would exceed the budget; nothing was released."""


class Account(Protocol[ReleaseT_contra]):
    """Counts releases of one kind and refuses the one that would exceed the budget.

    A new mechanism (correlated noise, a histogram) is a new account; the ledger stays as it is.
    """

    @property
    def budget(self) -> Budget:
        """Epsilon and delta that may be spent."""
        ...

    @property
    def sensitivity(self) -> Sensitivity:
        """Of one release."""
        ...

    def charge(self, release: ReleaseT_contra) -> None:
        """Counts one release, or raises OverspentError with nothing counted."""
        ...

    def epsilon(self) -> float:
        """Epsilon spent at `delta`, recomputed from the releases counted."""
        ...

    def delta(self) -> float:
        """Delta that goes with `epsilon`: the budget's, or 0 where pure laws spend epsilon alone."""
        ...

    def totals(self) -> dict[str, Any]:
        """Facts of every entry of the record: counts so far."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Counts, for a checkpoint."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the counts of an earlier account of the same form."""
        ...


class Ledger(Generic[ReleaseT]):
    """An account with its record: charge a release, make it, note it; the record may be a file in the run directory.

    `table` is the user's id of the private table, for a total over runs; entries carry it.

    Guarantee: after any sequence of accepted charges, the releases together are (epsilon, delta)-DP under the budget's
    relation, provided that each was charged before it was made, and that releases made after the checkpoint from which a
    run resumes were either drawn from the same seed or seen by nobody.

    >>> from assay.privacy.budget import Budget
    >>> from assay.privacy.relations import Relation, Sensitivity
    >>> from assay.privacy.rows.account import RowAccount, RowRelease
    >>> import numpy as np
    >>> ledger = Ledger(RowAccount(Budget(1.0, 1e-5), Sensitivity(1.0, Relation.ZERO_OUT), rows=2))
    >>> ledger.charge(RowRelease(np.array([0]), noise_multiplier=5.0))
    >>> round(ledger.epsilon(), 4)
    0.7255
    """

    def __init__(self, account: Account[ReleaseT], path: Path | None = None, *, table: str | None = None) -> None:
        if account.sensitivity.relation is not account.budget.relation:
            raise ValueError(
                f"sensitivity is for {account.sensitivity.relation}, the budget for {account.budget.relation}"
            )
        self.account, self.table, self._record = account, table, Record(path)

    @property
    def budget(self) -> Budget:
        """Epsilon and delta that may be spent."""
        return self.account.budget

    @property
    def sensitivity(self) -> Sensitivity:
        """Of one release."""
        return self.account.sensitivity

    def charge(self, release: ReleaseT) -> None:
        """Counts a release that is about to be made; raises OverspentError, with nothing counted, if it must not be."""
        self.account.charge(release)

    def epsilon(self) -> float:
        """Epsilon spent at the budget's delta."""
        return self.account.epsilon()

    def note(self, *, noise: NoiseKind, **facts: Any) -> None:
        """Adds one entry (a batch of releases) to the record: its facts, the source of its noise and what is spent so far.

        The entry is on disk when this returns. Note a batch that is charged and not yet made, and the file never says less
        than what was released. Note by round or step, never by the clock: then a resumed run writes what an undisturbed one
        would have written.
        """
        budget = self.budget
        spent = {
            "epsilon": self.epsilon(),
            "delta": self.account.delta(),
            "relation": str(budget.relation),
            "noise": noise,
        }
        table = {} if self.table is None else {"table": self.table}
        self._record.append({**facts, **self.account.totals(), **spent, **table})

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The record: one entry for each batch of releases, oldest first."""
        return self._record.entries

    def state_dict(self) -> dict[str, Any]:
        """Counts and record, for a checkpoint."""
        return {"account": self.account.state_dict(), "record": self._record.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a checkpoint; entries that it does not know are cut from the file.

        Raises ValueError when the checkpoint is of another kind of account, or the file belongs to another run.
        """
        self._record.load_state_dict(state["record"])
        self.account.load_state_dict(state["account"])
