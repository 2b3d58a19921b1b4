"""Time and memory that counted work will take, said once as soon as its pace is known."""

from __future__ import annotations

import time
from collections.abc import Callable

from assay.runs.cost import peak_memory_mb

LONG = 20.0  # seconds of work that are worth a line
WATCHED = 3.0  # seconds after which the pace of the work is known


class Forecast:
    """Measures the pace of work and says once how long the rest takes, where that is more than LONG seconds.

    The pace is taken from the first step on, which libraries are loaded before and which stands for all that an earlier
    attempt had saved; of a first step that alone was long, its own time is the pace.
    """

    def __init__(
        self, title: str, total: float | None, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title, self._total, self._say, self._clock = title, total or 0.0, say, clock
        self._start, self._before, self._done = clock(), 0.0, 0.0
        self._begun, self._said = False, not total

    def advance(self, steps: float) -> None:
        """Counts further steps as done."""
        if self._said:
            return
        self._done += steps
        passed = self._clock() - self._start
        if not self._begun and passed < LONG:
            self._start, self._before, passed = self._clock(), self._done, 0.0
        self._begun = True
        if passed < WATCHED or self._done <= self._before:
            return
        self._said = True
        left = passed / (self._done - self._before) * (self._total - self._done)
        done = f"{self._done:g} of {self._total:g} done"
        say_if_long(f"{self._title}: about {{}} to go ({done}, {peak_memory_mb():.0f} MB so far)", left, self._say)


def say_if_long(line: str, seconds: float, say: Callable[[str], None]) -> None:
    """Says a line, with the time in its braces, where the time is worth one."""
    if seconds > LONG:
        say(line.format(in_words(seconds)))


def in_words(seconds: float) -> str:
    """Seconds as one reads them: 8 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
