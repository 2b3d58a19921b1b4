"""Noisy steps, and the protocol of an accountant: a history of steps in, epsilon out."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from assay.errors import AssayError, InputError
from assay.privacy.relations import Relation


class AccountingError(AssayError):
    """An accountant has no bound for a history; the message names one that has."""


@dataclass(frozen=True)
class Steps:
    """`count` equal steps: noise of deviation `noise_multiplier` sensitivities on a sum over a Poisson sample.

    A `sample_rate` of 1 is full participation. The sensitivity is that of the neighbouring relation: make steps by
    `Steps.under`, which divides by its factor.
    """

    noise_multiplier: float
    sample_rate: float
    count: int

    @classmethod
    def under(cls, relation: Relation, noise_multiplier: float, sample_rate: float, count: int) -> Steps:
        """Steps whose noise has deviation `noise_multiplier` clipping norms, under a neighbouring relation.

        Raises InputError for noise that is not positive and finite, a sample rate outside (0, 1], a negative count, and for
        a sample rate below 1 under replace-one: the accountants' amplification is proved for a row that is there or not
        (Mironov, Talwar & Zhang 2019; Zhu, Dong & Wang 2022), and composing the worst single step is no bound when a row
        is replaced (Lebeda et al. 2024).
        """
        if not 0 < noise_multiplier < math.inf:
            raise InputError("noise_multiplier", noise_multiplier, "must be > 0 and finite", "1.0 is a usual start")
        if not 0 < sample_rate <= 1:
            raise InputError("sample_rate", sample_rate, "must lie in (0, 1]", "expected batch size over rows")
        if count < 0:
            raise InputError("steps", count, "must be >= 0", "0 has no cost")
        if relation is Relation.REPLACE_ONE and sample_rate < 1:
            limit = f"amplification by sampling (sample rate {sample_rate:g}) has no account under it"
            raise InputError("privacy.relation", relation, limit, "use privacy.relation=add_remove or zero_out")
        return cls(noise_multiplier / relation.factor, sample_rate, count)

    @property
    def kind(self) -> tuple[float, float]:
        """Noise multiplier and sample rate, which fix the cost of one step."""
        return self.noise_multiplier, self.sample_rate


class Accountant(Protocol):
    """Turns a history of steps into the epsilon that they spend together, never below the truth."""

    @property
    def name(self) -> str:
        """Value of privacy.accountant."""
        ...

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta` of the adaptive composition of `history`; 0 for an empty one."""
        ...


@dataclass
class Cache:
    """The `limit` results used last: an accountant is asked for the same noise again and again."""

    limit: int
    _results: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """The result of `compute` for this key, from the cache where it is there."""
        if key not in self._results:
            self._results[key] = compute()
        self._results.move_to_end(key)
        while len(self._results) > self.limit:
            self._results.popitem(last=False)
        return self._results[key]
