"""The rule of a claim: the figures that confirm it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.errors import AssayError


@dataclass(frozen=True)
class Rule:
    """All figures from `low` to `high`, both included; infinite where the rule has one side only."""

    low: float = -math.inf
    high: float = math.inf

    def holds_whole(self, low: float, high: float) -> bool:
        """True if every figure of an interval confirms the claim."""
        return self.low <= low and high <= self.high

    def misses_whole(self, low: float, high: float) -> bool:
        """True if no figure of an interval confirms the claim."""
        return high < self.low or low > self.high

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        return f"between {self.low:g} and {self.high:g}"


def read_rule(given: Any, where: str) -> Rule:
    """The rule of `{at_least: x}`, `{at_most: x}` or `{between: [a, b]}`; raises AssayError for anything else."""
    if not isinstance(given, Mapping) or len(given) != 1:
        raise AssayError(f"{where} must be one of at_least, at_most and between, found {given!r}")
    ((kind, bound),) = given.items()
    if kind == "at_least":
        return Rule(low=_finite(bound, where))
    if kind == "at_most":
        return Rule(high=_finite(bound, where))
    if kind != "between":
        raise AssayError(f"{where}: unknown key {kind} (choose from: at_least, at_most, between)")
    if not isinstance(bound, list | tuple) or len(bound) != 2:
        raise AssayError(f"{where}: between needs two numbers [a, b], found {bound!r}")
    low, high = (_finite(entry, where) for entry in bound)
    if low > high:
        raise AssayError(f"{where}: between [{low:g}, {high:g}] is empty (smaller bound first)")
    return Rule(low, high)


def _finite(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AssayError(f"{where} needs a finite number, found {value!r}")
    return float(value)
