"""What noisy steps cost: a history of steps in, epsilon out, by one of four accountants."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from assay.errors import AssayError, InputError
from assay.privacy.accounting.gaussian import check_delta, epsilon_of, zcdp_epsilon
from assay.privacy.relations import Relation


class AccountingError(AssayError):
    """An accountant cannot tell what a history costs; the message names one that can."""


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
        """What one step costs depends on: noise multiplier and sample rate."""
        return self.noise_multiplier, self.sample_rate


class Accountant(Protocol):
    """Turns a history of steps into the epsilon that they spend together, never below the truth."""

    @property
    def name(self) -> str:
        """What a user calls it."""
        ...

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta` of the adaptive composition of `history`; 0 for an empty one."""
        ...


@dataclass
class Cache:
    """The `limit` results used last, kept between questions: an accountant is asked for the same noise again and again."""

    limit: int
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """The result of `compute` for this key, computed at most once while it is kept."""
        if key not in self._kept:
            self._kept[key] = compute()
        self._kept.move_to_end(key)
        while len(self._kept) > self.limit:
            self._kept.popitem(last=False)
        return self._kept[key]


class GaussianAccountant:
    """Exact accounting of steps in which every row takes part, by Gaussian differential privacy.

    Guarantee: epsilon is the smallest for which the composition is (epsilon, delta)-DP (Dong, Roth & Su 2019, Corollaries
    1 and 2). A sample rate below 1 is refused: the central limit theorem that Opacus' `gdp` applies to it is no upper bound.
    """

    name = "gaussian"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta`; raises InputError when a row takes part by chance."""
        rate = min((steps.sample_rate for steps in history if steps.count), default=1.0)
        if rate < 1:
            limit = f"counts full participation, and the sample rate is {rate:g}"
            raise InputError("privacy.accountant", self.name, limit, "use privacy.accountant=prv or rdp")
        return epsilon_of(_total_mu(history), delta)


class ZcdpAccountant:
    """Zero-concentrated accounting without amplification: a looser cross-check of the others.

    Guarantee: an upper bound (Bun & Steinke 2016, Propositions 1.3 and 1.6). A sample rate below 1 counts as 1: by the
    quasi-convexity of Renyi divergences a sampled step costs no more than one in which every row takes part.
    """

    name = "zcdp"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta`."""
        check_delta(delta)
        return zcdp_epsilon(_total_mu(history), delta)


def _total_mu(history: Sequence[Steps]) -> float:
    return math.sqrt(math.fsum(steps.count / steps.noise_multiplier**2 for steps in history))


def open_accountant(name: str) -> Accountant:
    """The accountant of this name with an empty cache: `gaussian`, `rdp`, `prv` or `zcdp`; raises InputError for another."""
    from assay.privacy.accounting.prv import PrvAccountant
    from assay.privacy.accounting.renyi import RdpAccountant

    known: dict[str, Callable[[], Accountant]] = {
        "gaussian": GaussianAccountant,
        "rdp": RdpAccountant,
        "prv": PrvAccountant,
        "zcdp": ZcdpAccountant,
    }
    if name not in known:
        raise InputError("privacy.accountant", name, f"must be one of {', '.join(known)}", "prv is the tightest")
    return known[name]()
