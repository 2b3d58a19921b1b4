"""Releases of whole parties (data owners): what one record or one party can move, and the account of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.privacy.budget import Budget
from assay.privacy.option import Privacy
from assay.privacy.relations import Sensitivity
from assay.privacy.rows.account import RowAccount, RowRelease
from assay.privacy.rows.gradients import GivenNorm


class Level(StrEnum):
    """Who is protected: each record of a party, or the whole party with all of its records."""

    RECORD = "record"
    CLIENT = "client"


@dataclass(frozen=True)
class PartySensitivity(Sensitivity):
    """The distance by which the mean of a party's clipped gradients can move, for each party.

    A record of a party of size |D| moves the mean by C/|D| (zero-out) or 2C/|D| (replace-one); the whole party moves it by
    C or 2C, since a mean of vectors in a ball lies in the ball. The sizes are taken for public at either level.
    Source: 2412.17008 as reconstructed (data sets as players).
    """

    sizes: tuple[int, ...]
    level: Level

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sizes or min(self.sizes) < 1:
            raise InputError("dataset.sources", self.sizes, "every party needs a row", "use fewer parties")

    @property
    def reach(self) -> NDArray[np.float64]:
        """Norm of what one protected unit adds to its party's mean at most [parties]: C/|D|, or C at client level."""
        divisor = np.asarray(self.sizes, dtype=np.float64) if self.level is Level.RECORD else np.ones(len(self.sizes))
        return self.max_grad_norm / divisor

    @property
    def value(self) -> float:
        """The L2 sensitivity of the party that can move most."""
        return self.relation.factor * float(self.reach.max())

    def deviations(self, noise_multiplier: float) -> NDArray[np.float64]:
        """Deviation of the noise for each party [parties]: `noise_multiplier` times its reach."""
        return noise_multiplier * self.reach


def party_sensitivity(privacy: Privacy, sizes: tuple[int, ...], level: Level) -> PartySensitivity | None:
    """Sensitivity of the mean gradients of parties of these sizes; None without privacy.

    Raises InputError for a mechanism whose releases are not one mean gradient a time, with the same noise every time.
    """
    refuse_without_account(privacy)
    if not isinstance(privacy, GivenNorm):
        return None
    return PartySensitivity(privacy.max_grad_norm, privacy.budget.relation, sizes, level)


def refuse_without_account(privacy: Privacy) -> None:
    """Raises InputError for a mechanism whose releases concern rows alone."""
    if privacy.private and not privacy.for_sources:
        remedy = "use privacy=iid, running_mean or running_mean_burn_in"
        raise InputError("privacy", privacy.name, "has no account of parties", remedy)


class PartyRelease(NamedTuple):
    """One Gaussian release of parties [replicates], one in each replicate, with the deviations of its noise [replicates]."""

    parties: NDArray[np.int64]
    deviation: NDArray[np.float64]


class PartyAccount:
    """Counts Gaussian releases of parties, each by the noise that it truly has.

    A release is charged by its deviation in units of the gradient, not by a multiplier, so that noise scaled for another
    size or level runs out of budget. At record level all records of a party share its releases, and so its account; parties
    are disjoint data (parallel composition). Raises InputError under add-remove, as RowAccount does.

    Guarantee: after any sequence of accepted charges, the releases together are (epsilon, delta)-DP for each record, or for
    each party at client level, when sizes and membership are public.
    """

    def __init__(self, budget: Budget, sensitivity: PartySensitivity, replicates: int = 1) -> None:
        self.sensitivity = sensitivity
        self._account = RowAccount(budget, sensitivity, len(sensitivity.sizes), replicates, noun="party")

    @property
    def budget(self) -> Budget:
        """Epsilon and delta that may be spent."""
        return self._account.budget

    @property
    def touches(self) -> NDArray[np.int64]:
        """Releases made so far [replicates, parties]."""
        return self._account.touches

    def charge(self, release: PartyRelease) -> None:
        """Counts one release; raises OverspentError, with nothing counted, when any party would exceed the budget."""
        parties, deviation = release
        self._account.charge(RowRelease(parties, deviation / self.sensitivity.reach[parties]))

    def epsilon(self) -> float:
        """Epsilon spent at the budget's delta by the party most spent on."""
        return self._account.epsilon()

    def delta(self) -> float:
        """The budget's delta."""
        return self._account.delta()

    def totals(self) -> dict[str, Any]:
        """Releases made in all and of the party most spent on, and who is protected."""
        return {**self._account.totals(), "level": str(self.sensitivity.level)}

    def state_dict(self) -> dict[str, Any]:
        """The counts of every party."""
        return self._account.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the counts of an earlier account."""
        self._account.load_state_dict(state)
