"""Measures what assay promises about its own cost; `make bench` prints the table and writes it below outputs/reports."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from unittest import mock

import torch

from assay.data import PreparedData
from assay.learning.models.affine import Linear
from assay.learning.modules.permutation_pass import PermutationPass
from assay.learning.trainer import Trainer
from assay.privacy.rows.running_mean_burn_in import RunningMeanBurnIn
from assay.runs import Streams
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run
from experiments.benchmarks.composed import data_of
from experiments.benchmarks.timing import REPORTS, Measurements, seconds

REPEATS = 5
TRAINER, MODEL = Trainer(), Linear(intercept=False)


def alternating(first: Callable[[], object], second: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Processor seconds of two pieces of work, taken in turns, so that a busy machine slows both alike."""
    pairs = [(seconds(first, 1)[0], seconds(second, 1)[0]) for _ in range(REPEATS)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def valuation(data: PreparedData, replicates: int, evaluations: int = 40) -> object:
    """One private valuation."""
    problem = Problem(data, MODEL, RunningMeanBurnIn(burn_in=0.3))
    return GradientSemivalue(evaluations=evaluations).replicates(problem, Run(Streams(0), TRAINER), replicates)


def trainer_share(data: PreparedData) -> float:
    """Share of a fit's processor seconds that is spent outside `training_step`: Lightning's own part."""
    inside = 0.0
    step = PermutationPass.training_step

    def timed(self: PermutationPass, batch: torch.Tensor, batch_idx: int) -> None:
        nonlocal inside
        started = time.process_time()
        step(self, batch, batch_idx)
        inside += time.process_time() - started

    with mock.patch.object(PermutationPass, "training_step", timed):
        started = time.process_time()
        valuation(data, 24, 200)
        return 1 - inside / (time.process_time() - started)


def command(*arguments: str) -> Callable[[], object]:
    """A whole process of the command line."""
    return lambda: subprocess.run([sys.executable, "-m", "assay", *arguments], check=True, capture_output=True)


def whole_process(work: Callable[[], object]) -> list[float]:
    """Processor seconds of child processes."""
    import resource

    work()
    times = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        work()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return times


def main() -> None:
    """Prints and writes one line for each promise."""
    torch.set_num_threads(1)
    data = data_of("experiment=quickstart")
    measurements = Measurements()
    one, many = alternating(lambda: valuation(data, 1), lambda: valuation(data, 24))
    measurements.note("1 replicate, 40 evaluations, CPU s", one)
    measurements.note("24 replicates, 40 evaluations, CPU s", many)
    measurements.note("24 replicates over 1, ratio", [b / a for a, b in zip(one, many, strict=True)])
    measurements.note("share of the Trainer in 200 rounds", [trainer_share(data) for _ in range(REPEATS)])
    for evaluations in (20, 80, 320):
        cost = seconds(lambda k=evaluations: valuation(data, 24, k), REPEATS)
        measurements.note(f"24 replicates, {evaluations} evaluations, CPU s", cost)
    measurements.note("assay --help, CPU s", whole_process(command("--help")))
    measurements.note("assay list, CPU s", whole_process(command("list")))
    measurements.write(REPORTS / "cost.csv")


if __name__ == "__main__":
    main()
