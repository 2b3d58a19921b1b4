"""Measures what assay promises about its own cost; `make bench` prints the table and writes it below outputs/reports."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from assay.config.compose import compose
from assay.data import PreparedData, prepare
from assay.learning.models import ModelSpec, build_model
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainers import TrainerSpec
from assay.privacy.spec import PrivacySpec
from assay.runs import Streams
from assay.valuation.gradient_semivalue import GradientSemivalue
from assay.valuation.permutations import random_orders

REPEATS = 5
TRAINER, MODEL = TrainerSpec(), ModelSpec("linear", intercept=False)


def seconds(work: Callable[[], object]) -> list[float]:
    """Processor seconds of `work`, once to warm up and then REPEATS times."""
    work()
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return found


def quickstart_data() -> PreparedData:
    """The data of the quickstart."""
    config = compose(["experiment=quickstart"])
    return prepare(
        **config["dataset"], data_dir=Path(config["paths"]["data"]).expanduser(), generator=Streams(0).generator
    )


def valuation(
    data: PreparedData, replicates: int, evaluations: int = 40, mechanism: str = "running_mean_burn_in"
) -> object:
    """One private valuation."""
    valuator = GradientSemivalue(evaluations=evaluations, replicates=replicates)
    return valuator.value(data, MODEL, PrivacySpec(mechanism, burn_in=0.3), Streams(0), TRAINER)


def bare_rounds(data: PreparedData, replicates: int, evaluations: int) -> None:
    """The same rounds without Trainer and callbacks: what Lightning's share is measured against."""
    model = build_model(MODEL, kind="regression", classes=0, features=data.train.features.shape[1])
    train, valid = (Rows(torch.tensor(part.features), torch.tensor(part.target)) for part in (data.train, data.valid))
    start = torch.zeros(model.parameter_count, dtype=torch.float64)
    orders = random_orders(Streams(0), len(train), replicates, "values")
    module = PermutationPass(
        model, train, valid, start, orders, learning_rate=0.05, utility="negative_loss", replicates=replicates
    )
    module.training_step(torch.arange(1, evaluations + 1), 0)


def command(*arguments: str) -> Callable[[], object]:
    """A whole process of the command line."""
    return lambda: subprocess.run([sys.executable, "-m", "assay", *arguments], check=True, capture_output=True)


def whole_process(work: Callable[[], object]) -> list[float]:
    """Processor seconds of child processes."""
    import resource

    work()
    found = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        work()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return found


def main() -> None:
    """Prints and writes one line for each promise."""
    torch.set_num_threads(1)
    data = quickstart_data()
    lines = ["measurement,median,least,most"]

    def note(name: str, samples: list[float]) -> float:
        middle = statistics.median(samples)
        lines.append(f"{name},{middle:.4f},{min(samples):.4f},{max(samples):.4f}")
        print(f"{name:62s} {middle:9.4f}  [{min(samples):.4f}, {max(samples):.4f}]", flush=True)
        return middle

    one = note("1 replicate, 40 evaluations, CPU s", seconds(lambda: valuation(data, 1)))
    many = note("24 replicates, 40 evaluations, CPU s", seconds(lambda: valuation(data, 24)))
    note("24 replicates over 1, ratio", [many / one])
    bare = note("200 rounds in the module alone, CPU s", seconds(lambda: bare_rounds(data, 24, 200)))
    fitted = note("200 rounds by the Trainer, CPU s", seconds(lambda: valuation(data, 24, 200, "none")))
    note("Trainer over module, ratio", [fitted / bare])
    for evaluations in (20, 80, 320):
        note(f"24 replicates, {evaluations} evaluations, CPU s", seconds(lambda k=evaluations: valuation(data, 24, k)))
    note("assay --help, CPU s", whole_process(command("--help")))
    note("assay list, CPU s", whole_process(command("list")))
    folder = Path("outputs/reports/benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cost.csv").write_text("\n".join(lines) + "\n")
    print(f"report: {folder / 'cost.csv'}")


if __name__ == "__main__":
    main()
