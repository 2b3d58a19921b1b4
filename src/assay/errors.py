"""The errors that end a command in one clear line."""

from __future__ import annotations


class AssayError(Exception):
    """An error whose message is one line that a user can act on; the command line exits with `status`."""

    status = 2


class StoppedError(AssayError):
    """An end that came from outside, as of a worker that was killed: checkpoints stay, and the same command goes on."""

    status = 1


_LONGEST_VALUE = 100  # characters of a value in a line


class InputError(AssayError, ValueError):
    """A value that cannot be used: names the key, the value, the limit and the remedy.

    >>> str(InputError("privacy.epsilon", -1, "must be > 0", "use privacy=none for a run without privacy"))
    'privacy.epsilon=-1: must be > 0 (use privacy=none for a run without privacy)'
    """

    def __init__(self, key: str, value: object, limit: str, remedy: str, mends: tuple[str, ...] = ()) -> None:
        super().__init__(f"{key}={_short(value)}: {limit} ({remedy})")
        self.key, self.value, self.limit, self.remedy = key, value, limit, remedy
        self.mends = mends  # overrides that mend it, for the whole command

    def __reduce__(self) -> tuple[type[InputError], tuple[str, object, str, str, tuple[str, ...]]]:
        return type(self), (self.key, self.value, self.limit, self.remedy, self.mends)


class DivergedError(InputError):
    """A value under which the work ended in numbers that are not finite; the run has failed, and says so."""


def _short(value: object) -> str:
    """A value in one line, its middle left out where it is long."""
    text = " ".join(str(value).split()) if "\n" in str(value) else str(value)
    half = _LONGEST_VALUE // 2
    return text if len(text) <= _LONGEST_VALUE else f"{text[:half]}...{text[-half:]}"
