"""The cost of a run: wall-clock seconds, processor seconds and memory."""

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
    """Seconds, processor seconds with child processes, and the largest memory (MB of 2^20) of one process."""

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
        self._seconds, self._cpu, self._ended = time.perf_counter(), _cpu_seconds(), _ended_children_peak()

    def cost(self) -> Cost:
        """The cost so far, workers that still run included where the system shows them (Linux)."""
        ended = _ended_children_peak()
        peaks = [_peak_of("self"), *map(_peak_of, _live_children()), ended if ended > self._ended else 0.0]
        return Cost(time.perf_counter() - self._seconds, _cpu_seconds() - self._cpu, max(peaks))


def peak_memory_mb() -> float:
    """Largest resident set of this process so far, in MB of 2^20."""
    return _peak_of("self")


def _cpu_seconds() -> float:
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(map(_cpu_seconds_of, _live_children()))


def _live_children() -> list[str]:
    pids: list[str] = []
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            pids += file.read_text().split()
    return pids


def _cpu_seconds_of(pid: str) -> float:
    """User and system seconds of a process and of its ended children; 0 when it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _peak_of(pid: str) -> float:
    """Largest resident set in MB of a process; 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) if pid == "self" else 0.0


def _ended_children_peak() -> float:
    """The largest resident set in MB of any ended child."""
    return _megabytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _megabytes(resident: int) -> float:
    return resident / (2**20 if sys.platform == "darwin" else 2**10)
