"""Cost of marginal contributions to logistic regression: closed form, two levels, exact, and a loop of scikit-learn's fits.

    python -m experiments.benchmarks.marginal_contributions [--share 1.0] [--points 1000] [--samples 1000]

Processor seconds of one thread (set OMP_NUM_THREADS=1). The problem: every one of `--points` rows joins each of `--samples`
random subsets at 10 cardinalities from 100 to 1000, logistic regression on 64 principal components. A share of the subsets
is solved and the seconds are divided by it; scikit-learn's fits of a subset with a row are timed between, a few pairs at
each cardinality. Data that are not on the machine are left out with a line that says so, and breast_cancer stands in.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from assay.data import PreparedData
from assay.errors import AssayError
from assay.learning.learners import Learner
from assay.learning.models.affine import Logistic
from assay.learning.solvers.newton import newton_fit
from assay.runs import Streams
from assay.valuation.contributions.binary_logistic import BinaryLogisticSolver
from assay.valuation.contributions.margins import SMOOTH
from assay.valuation.contributions.setting import Labelled, ScalingUtility, Setting
from assay.valuation.contributions.softmax_logistic import SoftmaxLogisticSolver
from assay.valuation.contributions.solver import Level
from assay.valuation.contributions.subsets import Cardinalities, SubsetSampler
from assay.valuation.contributions.two_level import two_level_means
from experiments.benchmarks.composed import data_of
from experiments.benchmarks.timing import REPORTS, Measurements

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Answer = TypeVar("Answer")
LEVELS: tuple[Level, ...] = ("cheap", "exact")
SHIRTS = (0, 6)  # t-shirt and shirt, the pair of classes of fashion_mnist that are hardest to tell apart
COMPONENTS, VALID = 64, 1000


@dataclass(frozen=True)
class Size:
    """Size of the problem, share of its subsets that is solved, and extent of the comparison."""

    points: int = 1000
    samples: int = 1000
    share: float = 0.02
    smallest: int = 100
    largest: int = 999
    cardinalities: int = 10
    pairs: int = 24  # scikit-learn's fits at each cardinality
    checked: int = 100  # points refitted whole, on each of 2 subsets of each cardinality

    @property
    def subsets(self) -> int:
        """Subsets of each cardinality that are solved."""
        return max(4, round(self.samples * self.share))

    def grid(self) -> list[int]:
        """The cardinalities."""
        return [int(k) for k in Cardinalities(self.smallest, self.largest).grid(self.cardinalities)]


@dataclass
class Spent:
    """Processor seconds by name, summed."""

    seconds: dict[str, float] = field(default_factory=dict)

    def on(self, name: str, work: Callable[[], Answer]) -> Answer:
        """Carries out `work` and adds what it takes."""
        started = time.process_time()
        answer = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - started
        return answer


def of_classes(
    data: PreparedData, classes: Sequence[int], components: int, points: int, utility: ScalingUtility
) -> Setting:
    """Rows of some classes on the principal components of the valid rows: the points, the pool and the valid rows."""
    from sklearn.decomposition import PCA

    parts = []
    for part in (data.train, data.valid):
        rows = np.flatnonzero(np.isin(part.target, classes))
        parts.append((part.features[rows].astype(np.float64), np.searchsorted(classes, part.target[rows])))
    (train, target), (valid, labels) = parts
    components = min(components, *valid.shape)
    turned = PCA(components, svd_solver="full").fit(valid)
    train, valid = turned.transform(train), turned.transform(valid)
    return Setting(
        Labelled(train[:points], target[:points]),
        Labelled(train[points:], target[points:]),
        Labelled(valid[:VALID], labels[:VALID]),
        "classification",
        len(classes),
        Logistic(),
        utility,
    )


def contributions_cost(setting: Setting, size: Size, measurements: Measurements) -> Spent:
    """Seconds of each way for the whole problem, agreement of the exact one with refits, R2 of the two-level means."""
    sampler = SubsetSampler(len(setting.pool), np.asarray(setting.pool.target, np.int64), Streams(0), "benchmark")
    cheap, exact = BinaryLogisticSolver(setting, "cheap"), BinaryLogisticSolver(setting, "exact")
    spent, errors, explained, quick, fallbacks, pairs = Spent(), [], [], [], 0, 0
    cheap.shared([sampler.subset(0, size.smallest)])  # loads what is loaded once
    for place, cardinality in enumerate(size.grid()):
        subsets = [sampler.subset(place * size.samples + number, cardinality) for number in range(size.subsets)]
        for solver in (cheap, exact):
            spent.on("starts", lambda mine=solver, k=cardinality: mine.start(k))
        closed = spent.on("closed form", lambda drawn=subsets: cheap.shared(drawn)).delta
        solved = spent.on("exact", lambda drawn=subsets: exact.shared(drawn))
        generator, given = np.random.default_rng((1, cardinality)), {cardinality: subsets}
        means = spent.on(
            "two levels", lambda drawn=given, chance=generator: two_level_means(cheap, exact, drawn, chance)
        )
        pairs += spent.on("scikit-learn", lambda drawn=subsets: _loop(setting, drawn, size.pairs))
        truth = solved.delta.mean(axis=1)
        explained.append(share_explained(means.mean[:, 0], truth))
        quick.append(share_explained(closed.mean(axis=1), truth))
        errors.append(disagreement(exact, subsets[:2], solved.delta[:, :2], size.checked))
        fallbacks += solved.fallbacks
        line = f"k={cardinality:4d}: R2 of psi_k {explained[-1]:.5f} at two levels, {quick[-1]:.4f} in closed form"
        off = f"error / rms {errors[-1][0]:.1e}, worst {errors[-1][1]:.1e}"
        print(f"{line}; {off}; fallbacks {solved.fallbacks}", flush=True)
    scale = size.samples / size.subsets
    name = f"{len(setting.points)} points, {len(size.grid())} cardinalities, {size.samples} subsets"
    for level in ("closed form", "two levels", "exact"):
        measurements.note(f"{name}, {level}, CPU s", [spent.seconds[level] * scale])
    measurements.note("starting weights from the pool, once, CPU s", [spent.seconds["starts"] / 2])
    fits = len(setting.points) * len(size.grid()) * size.samples
    loop = spent.seconds["scikit-learn"] / pairs * fits
    measurements.note(f"{name}, scikit-learn by {pairs} pairs, CPU s", [loop])
    for level in ("closed form", "two levels", "exact"):
        measurements.note(f"scikit-learn over {level}, ratio", [loop / (spent.seconds[level] * scale)])
    measurements.note("exact against refits: rms error / rms, millionths, by k", [1e6 * each for each, _ in errors])
    measurements.note("exact against refits: worst error / rms, millionths, by k", [1e6 * each for _, each in errors])
    measurements.note("two levels against exact: R2 of psi_k, by k", explained)
    measurements.note("closed form against exact: R2 of psi_k, by k", quick)
    measurements.note(
        "points refitted whole, millionths", [1e6 * fallbacks / (size.subsets * len(size.grid()) * len(setting.points))]
    )
    return spent


def classes_cost(setting: Setting, size: Size, measurements: Measurements) -> None:
    """The same seconds for more than two classes, from few subsets of three cardinalities."""
    sampler = SubsetSampler(len(setting.pool), np.asarray(setting.pool.target, np.int64), Streams(0), "benchmark")
    solvers = {level: SoftmaxLogisticSolver(setting, level) for level in LEVELS}
    grid = [int(k) for k in np.geomspace(size.smallest, size.largest, 3)]
    for cardinality in grid:
        spent, subsets = Spent(), [sampler.subset(number, cardinality) for number in range(2)]
        for level, solver in solvers.items():
            solver.start(cardinality)
            spent.on(level, lambda mine=solver, drawn=subsets: mine.shared(drawn))
        fits = spent.on("scikit-learn", lambda drawn=subsets: _loop(setting, drawn, size.pairs))
        name = f"{setting.classes} classes, k={cardinality}, microseconds for a contribution"
        each = {level: 1e6 * spent.seconds[level] / (len(subsets) * len(setting.points)) for level in solvers}
        each["scikit-learn"] = 1e6 * spent.seconds["scikit-learn"] / fits
        for level, taken in each.items():
            measurements.note(f"{name}, {level}", [taken])


def _loop(setting: Setting, subsets: Sequence[Integers], pairs: int) -> int:
    """The work of a loop for each pair: fit the subset with the point, predict, and take the loss; the subset's own is free."""
    learner = Learner(setting.model, setting.shape)
    for number in range(pairs):
        rows, point = setting.pool.take(subsets[number % len(subsets)]), number % len(setting.points)
        features = np.vstack([rows.features, setting.points.features[point]])
        fitted = learner.fit(features, np.append(rows.target, setting.points.target[point]))
        probability = fitted.predict(setting.valid.features)
        np.log(probability[np.arange(len(probability)), setting.valid.target]).mean()
    return pairs


def disagreement(
    exact: BinaryLogisticSolver, subsets: Sequence[Integers], delta: Floats, checked: int
) -> tuple[float, float]:
    """Root mean square and largest error against whole refits to 1e-10, over the root mean square contribution."""
    loss, missed, size = SMOOTH[exact.setting.utility].loss, [], []
    for place, subset in enumerate(subsets):
        rows = exact.pool[subset]
        base = newton_fit(rows, exact.penalty, exact.start(len(subset)), decrement=1e-8).weights
        before = loss(exact.valid @ base)
        for point in range(min(checked, len(exact.points))):
            joined = np.vstack([rows, exact.points[point]])
            weights = newton_fit(joined, exact.penalty, base, decrement=1e-8).weights
            size.append(-(loss(exact.valid @ weights) - before).mean())
            missed.append(delta[point, place] - size[-1])
    rms = float(np.sqrt(np.mean(np.square(size))))
    return float(np.sqrt(np.mean(np.square(missed)))) / rms, float(np.abs(missed).max()) / rms


def share_explained(estimate: Floats, truth: Floats) -> float:
    """R2 over points."""
    return float(1.0 - np.sum((estimate - truth) ** 2) / np.sum((truth - truth.mean()) ** 2))


def problem(name: str, points: int, utility: ScalingUtility, every: bool = False) -> Setting:
    """Two classes of a data set of the machine, or every one; AssayError where it is not there."""
    pixels = name == "fashion_mnist"
    split = "{train: 54000, valid: 6000, test: 0}" if pixels else "{train: 460, valid: 109, test: 0}"
    scaled = f"dataset.preprocess.standardize={'false' if pixels else 'true'}"
    data = data_of(f"dataset={name}", "dataset.download=false", f"dataset.split={split}", scaled)
    classes = range(len(data.classes)) if every else SHIRTS if pixels else (0, 1)
    return of_classes(data, classes, COMPONENTS, points, utility)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the measurements and writes them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=Size.points)
    parser.add_argument("--samples", type=int, default=Size.samples)
    parser.add_argument("--share", type=float, default=Size.share)
    parser.add_argument("--utility", default="negative_loss", choices=sorted(SMOOTH))
    flags = parser.parse_args(arguments)
    size, measurements = Size(flags.points, flags.samples, flags.share), Measurements()
    try:
        setting = problem("fashion_mnist", size.points, flags.utility)
        classes_cost(problem("fashion_mnist", size.points, flags.utility, every=True), size, measurements)
    except AssayError as error:
        print(f"breast_cancer in place of fashion_mnist: {error}")
        setting = problem("breast_cancer", min(100, size.points), flags.utility)
        size = replace(size, points=len(setting.points), largest=len(setting.pool) * 9 // 10)
    contributions_cost(setting, size, measurements)
    measurements.write(REPORTS / "marginal_contributions.csv")


if __name__ == "__main__":
    main()
