"""The name somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name closest to `word`, also by its last part (a.b or a/b); None when nothing is close."""
    names = list(known)
    matches = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if matches:
        return matches[0]
    tails = {name.replace("/", ".").rsplit(".", 1)[-1]: name for name in reversed(names)}
    matches = difflib.get_close_matches(word.replace("/", ".").rsplit(".", 1)[-1], list(tails), n=1, cutoff=0.7)
    return tails[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str], what: str = "") -> str:
    """A remedy: the nearest name, or the known ones when none is near."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {what}{near}?"
    return "one of " + ", ".join(names) if names else "there is none"
