"""The name somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_CHARACTERS = 90  # of a list of names in a line


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name closest to `word`, also by its last part (a.b or a/b); None when nothing is close."""
    names = list(known)
    plain = {_plain(name): name for name in reversed(names)}
    if _plain(word) and _plain(word) in plain:  # a class name, say, in place of its option's
        return plain[_plain(word)]
    matches = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if matches:
        return matches[0]
    tails = {name.replace("/", ".").rsplit(".", 1)[-1]: name for name in reversed(names)}
    matches = difflib.get_close_matches(word.replace("/", ".").rsplit(".", 1)[-1], list(tails), n=1, cutoff=0.7)
    if matches:
        return tails[matches[0]]
    begun = [name for name in names if len(_plain(name)) > 2 and _plain(word).startswith(_plain(name))]
    return max(begun, key=len, default=None)


def did_you_mean(word: str, known: Iterable[str], what: str = "") -> str:
    """A remedy: the nearest name, or the known ones when none is near."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {what}{near}?"
    return f"one of {listed(names)}" if names else "there is none"


def listed(names: Iterable[str]) -> str:
    """Names with commas between them, as many as a line has room for, and how many there are."""
    names = list(names)
    shown: list[str] = []
    while len(shown) < len(names) and (not shown or len(", ".join([*shown, names[len(shown)]])) <= _CHARACTERS):
        shown.append(names[len(shown)])
    return ", ".join(shown) + (f", ... ({len(names)} in all)" if len(shown) < len(names) else "")


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
