"""Processor seconds, and the table that they go into."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPORTS = Path("outputs/reports/benchmarks")


def seconds(work: Callable[[], object], repeats: int, *, warm: bool = True) -> list[float]:
    """Processor seconds of `work`, `repeats` times, after once to warm up."""
    if warm:
        work()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return times


@dataclass
class Measurements:
    """Named medians with the least and the most, printed as they come."""

    rows: list[tuple[str, float, float, float]] = field(default_factory=list)

    def note(self, name: str, samples: Sequence[float]) -> float:
        """Adds and prints a line; returns the median."""
        row = (name, statistics.median(samples), min(samples), max(samples))
        self.rows.append(row)
        print(f"{name:62s} {row[1]:9.4f}  [{row[2]:.4f}, {row[3]:.4f}]", flush=True)
        return row[1]

    def write(self, path: Path) -> None:
        """Leaves them as CSV and says where."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["measurement", "median", "least", "most"])
            lines.writerows((name, *(f"{number:.4f}" for number in numbers)) for name, *numbers in self.rows)
        print(f"report: {path}")
