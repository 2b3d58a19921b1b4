"""Cost of private values: the quickstart's estimates, growth with rows and evaluations, and networks on mnist.

    python -m experiments.benchmarks.valuation_cost [--only quickstart,growth,cnn,directed] [--repeats 3] [--figures FOLDER]

Processor seconds of one thread; medians of `--repeats` rounds, in each of which everything that is compared takes its turn.
What needs a data set that is not on the machine is left out with a line that says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from assay.data import PreparedData
from assay.errors import AssayError, InputError
from assay.figures.style import new_figure
from assay.learning.models import Model, Shape
from assay.learning.models.affine import Linear
from assay.learning.models.auto import Auto
from assay.learning.models.cnn import Cnn
from assay.learning.models.mlp import Mlp
from assay.learning.trainer import Trainer
from assay.privacy.option import Privacy
from assay.privacy.rows.directed import Directed
from assay.privacy.rows.iid import Iid
from assay.privacy.rows.running_mean import RunningMean
from assay.privacy.rows.running_mean_burn_in import RunningMeanBurnIn
from assay.runs import Streams
from assay.statistics import log_log_slope
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run
from experiments.benchmarks.composed import data_of
from experiments.benchmarks.timing import REPORTS, Measurements, seconds

RELEASES, EPSILONS = (Iid(), RunningMean(), RunningMeanBurnIn(burn_in=0.3)), (1.0, 4.0, 8.0)
LEARNING_RATE = 0.05
VALID_IMAGES = 200
DOUBLE, SINGLE = Trainer(), Trainer(precision=32)


@dataclass(frozen=True)
class Growth:
    """Numbers of rows at a fixed k, and evaluations at a fixed n."""

    rows: Sequence[int] = (50, 100, 200, 400)
    evaluations: Sequence[int] = (20, 80, 320)
    fixed_rows: int = 100
    fixed_evaluations: int = 40
    valid: int = 150

    def sizes(self) -> dict[str, list[tuple[int, int]]]:
        """(n, k) of each sweep."""
        by_rows = [(n, self.fixed_evaluations) for n in self.rows]
        return {"n": by_rows, "k": [(self.fixed_rows, k) for k in self.evaluations]}


def values(
    data: PreparedData,
    model: Model,
    privacy: Privacy,
    evaluations: int,
    replicates: int = 1,
    trainer: Trainer = DOUBLE,
) -> Callable[[], object]:
    """A G-Shapley estimate of all replicates, to be carried out."""
    valuator = GradientSemivalue(evaluations=evaluations, learning_rate=LEARNING_RATE)
    return lambda: valuator.replicates(Problem(data, model, privacy), Run(Streams(0), trainer), replicates)


def rounds(works: Sequence[Callable[[], object]], repeats: int) -> NDArray[np.float64]:
    """Processor seconds [repeats, works], all in turn in each round, after the first of them once to warm up."""
    works[0]()
    return np.array([[seconds(work, 1, warm=False)[0] for work in works] for _ in range(repeats)])


def quickstart_cost(
    data: PreparedData, measurements: Measurements, repeats: int, *, evaluations: int = 160, replicates: int = 24
) -> float:
    """Each mechanism at its three budgets; returns the median of those that release every gradient, together."""
    model, mechanisms = Linear(intercept=False), [*RELEASES, Directed()]
    budgets = [replace(mechanism, epsilon=epsilon) for mechanism in mechanisms for epsilon in EPSILONS]
    taken = rounds([values(data, model, privacy, evaluations, replicates) for privacy in budgets], repeats)
    sums = taken.reshape(repeats, len(mechanisms), len(EPSILONS)).sum(2).T
    what = f"{replicates} replicates, {len(EPSILONS)} budgets"
    for mechanism, each in zip(mechanisms, sums, strict=True):
        times = "one release" if mechanism.one_release else f"k={evaluations}"
        measurements.note(f"{mechanism.name}, {times}, {what}, CPU s", each)
    return measurements.note(f"the {len(RELEASES)} at k={evaluations} in all, CPU s", sums[: len(RELEASES)].sum(0))


def growth_cost(
    name: str, measurements: Measurements, repeats: int, growth: Growth
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Of each sweep n k [sizes] and the seconds of one estimate [repeats, sizes]."""
    privacy, model, points = RunningMean(), Auto(), {}
    sweeps = growth.sizes()
    every = [size for sizes in sweeps.values() for size in sizes]
    data = {n: rows_of(name, n, growth.valid) for n, _ in every}
    taken = rounds([values(data[n], model, privacy, k) for n, k in every], repeats)
    for place, (n, k) in enumerate(every):
        measurements.note(f"{name}, n={n}, k={k}, CPU s", taken[:, place])
    steps = np.array([n * k for n, k in every])
    parts = np.split(np.arange(len(every)), [len(sweeps["n"])])
    for swept, part in zip(sweeps, parts, strict=True):
        measurements.note(f"{name}, log-log slope on {swept}", log_log_slope(steps[part], taken[:, part]))
        points[swept] = steps[part], taken[:, part]
    measurements.note(f"{name}, log-log slope on n k, all sizes", log_log_slope(steps, taken))
    lines = [np.polyfit(steps, one, 1, w=1 / one) for one in taken]  # weights: errors are relative
    measurements.note(f"{name}, straight line in n k: CPU microseconds for a step", [1e6 * each for each, _ in lines])
    measurements.note(f"{name}, straight line in n k: CPU s done once", [once for _, once in lines])
    errors_cost(
        f"{name}, n={growth.fixed_rows}",
        data[growth.fixed_rows],
        model,
        growth.fixed_evaluations,
        measurements,
        repeats,
    )
    return points


def errors_cost(
    name: str,
    data: PreparedData,
    model: Model,
    evaluations: int,
    measurements: Measurements,
    repeats: int,
    trainer: Trainer = DOUBLE,
) -> None:
    """Values with the bootstrap repetitions behind their standard errors, and what that multiplies the cost by."""
    privacy, surroundings = RunningMean(), Run(Streams(0), trainer)
    full = GradientSemivalue(evaluations=evaluations, learning_rate=LEARNING_RATE)
    choices = [replace(full, bootstrap=0), full]
    works = [lambda choice=each: choice.valuate(Problem(data, model, privacy), surroundings) for each in choices]
    taken = rounds(works, repeats)
    what = f"{name}, k={evaluations}, with {full.bootstrap} repetitions"
    measurements.note(f"{what}, CPU s", taken[:, 1])
    measurements.note(f"{what}, over none, ratio", taken[:, 1] / taken[:, 0])


def growth_figure(points: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]], name: str, path: Path) -> None:
    """Seconds against n k on logarithmic axes, beside a line of slope 1 through the median of seconds by n k."""
    figure, (axes,) = new_figure(width=5.0, height=3.4)
    steps, taken = (np.concatenate(each, axis=-1) for each in zip(*points.values(), strict=True))
    ends = np.array([steps.min(), steps.max()])
    axes.plot(ends, ends * np.median(taken / steps), color="#555555", linewidth=1, label="proportional to n k")
    for (swept, (x, y)), colour, marker in zip(points.items(), ("#0072B2", "#D55E00"), ("o", "s"), strict=True):
        label = f"{swept} swept: slope {np.median(log_log_slope(x, y)):.2f}"
        axes.plot(x, np.median(y, axis=0), marker, color=colour, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(np.unique(steps), [f"{step:,}" for step in np.unique(steps)])
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.set_xlabel("rows times evaluations, n k")
    axes.set_ylabel("CPU seconds")
    axes.set_title(f"One private valuation of {name}, running mean", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    print(f"figure: {path}")


def cnn_cost(data: PreparedData, few: PreparedData, measurements: Measurements, *, evaluations: int = 40) -> float:
    """One estimate with the convolutional network, once; standard errors, which cost many times as much, on few rows."""
    model = Cnn()
    errors_cost(f"mnist, cnn, n={len(few.train)}", few, model, 2, measurements, 1, SINGLE)
    work = values(data, model, RunningMean(), evaluations, trainer=SINGLE)
    what = f"n={len(data.train)}, k={evaluations}, {len(data.valid)} valid rows, float32, measured once"
    return measurements.note(f"mnist, cnn, {what}, CPU s", seconds(work, 1, warm=False))


def directed_cost(data: PreparedData, measurements: Measurements, repeats: int) -> None:
    """One directed release with a perceptron of more than 10^4 parameters, in either precision."""
    spec, features = Mlp(hidden=(16,)), data.train.features.shape[1]
    size = spec.replicated(Shape(data.kind, len(data.classes), features)).parameter_count
    precisions = SINGLE, DOUBLE
    works = [values(data, spec, Directed(), 1, trainer=trainer) for trainer in precisions]
    for trainer, taken in zip(precisions, rounds(works, repeats).T, strict=True):
        what = f"{size} parameters, n={len(data.train)}, float{trainer.precision}"
        measurements.note(f"mnist, mlp 16, directed, {what}, CPU s", taken)


def rows_of(name: str, train: int, valid: int) -> PreparedData:
    """So many rows of a data set that is on the machine; AssayError where it is not."""
    return data_of(
        f"dataset={name}", "dataset.download=false", f"dataset.split={{train: {train}, valid: {valid}, test: 0}}"
    )


def available(name: str, train: int, valid: int, otherwise: str) -> PreparedData | None:
    """The same, or None after a line that says what happens without them; mistakes stay errors."""
    try:
        return rows_of(name, train, valid)
    except InputError:
        raise
    except AssayError as error:
        print(f"{otherwise}: {error}")
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the measurements and writes them with the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="quickstart,growth,cnn,directed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--figures", type=Path, default=REPORTS)
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    measurements, only, growth = Measurements(), flags.only.split(","), Growth()
    if "quickstart" in only:
        quickstart_cost(data_of("experiment=quickstart"), measurements, flags.repeats)
    if "growth" in only:
        instead = available("adult", 50, growth.valid, "breast_cancer in place of adult") is None
        name = "breast_cancer" if instead else "adult"
        growth_figure(
            growth_cost(name, measurements, flags.repeats, growth), name, flags.figures / "valuation_cost.png"
        )
    if "directed" in only and (data := available("mnist", 200, VALID_IMAGES, "directed is left out")) is not None:
        directed_cost(data, measurements, flags.repeats)
    if "cnn" in only and (data := available("mnist", 400, VALID_IMAGES, "cnn is left out")) is not None:
        cnn_cost(data, rows_of("mnist", 40, VALID_IMAGES), measurements)
    measurements.write(REPORTS / "valuation_cost.csv")


if __name__ == "__main__":
    main()
