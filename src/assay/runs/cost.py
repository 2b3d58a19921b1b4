"""What a run costs: wall-clock seconds, processor seconds and memory."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Seconds, processor seconds with ended children, and the largest memory (MB of 2^20) that one process held."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0

    def plus(self, other: Cost) -> Cost:
        """Both one after the other: times add, the larger peak stays."""
        return Cost(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_memory_mb, other.peak_memory_mb),
        )

    def rounded(self) -> dict[str, float]:
        """The three figures by name, to the millisecond and the tenth of a MB."""
        return {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
        }


class Meter:
    """Measures the cost from its creation on."""

    def __init__(self) -> None:
        # Linux lets a process restart its high-water mark, so that a sweep's jobs do not inherit each other's
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._seconds, self._cpu, self._children = time.perf_counter(), _cpu_seconds(), _children_peak_mb()

    def cost(self) -> Cost:
        """The cost so far; children count once they have ended."""
        children = _children_peak_mb()
        peak = max(_own_peak_mb(), children if children > self._children else 0.0)
        return Cost(time.perf_counter() - self._seconds, _cpu_seconds() - self._cpu, peak)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _own_peak_mb() -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _children_peak_mb() -> float:
    """The largest resident set any ended child ever had."""
    return _megabytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _megabytes(resident: int) -> float:
    return resident / (2**20 if sys.platform == "darwin" else 2**10)
