"""Limits on single values, written into the schemas as `Annotated[float, above(0, "remedy")]`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limit:
    """A test that a value must pass, the limit in words, and what to do about a value beyond it."""

    holds: Callable[[Any], bool]
    words: str
    remedy: str


def above(bound: float, remedy: str) -> Limit:
    """Strictly greater than `bound`."""
    return Limit(lambda value: bound < value < float("inf"), f"must be > {bound:g}", remedy)


def at_least(bound: float, remedy: str) -> Limit:
    """`bound` or more."""
    return Limit(lambda value: bound <= value < float("inf"), f"must be >= {bound:g}", remedy)


def inside(low: float, high: float, remedy: str) -> Limit:
    """Strictly between two bounds."""
    return Limit(lambda value: low < value < high, f"must be between {low:g} and {high:g}, both excluded", remedy)


def share(remedy: str) -> Limit:
    """A share of a whole, 0 and 1 included."""
    return Limit(lambda value: 0 <= value <= 1, "must be a share from 0 to 1", remedy)


def not_empty(remedy: str) -> Limit:
    """A list with an entry, or a text with a character."""
    return Limit(lambda value: len(value) > 0, "must not be empty", remedy)


def matches(pattern: str, words: str, remedy: str) -> Limit:
    """A text that a regular expression covers whole."""
    import re

    return Limit(lambda value: re.fullmatch(pattern, value) is not None, words, remedy)
