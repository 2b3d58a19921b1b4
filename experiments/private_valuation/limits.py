"""Where a directed release is the wrong tool: few public rows, several utilities, redundant rows, trajectories in public."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from assay.config.compose import compose
from assay.data import Arrays, PreparedData
from assay.experiment import prepared
from assay.learning.models import Model
from assay.learning.models.auto import Auto
from assay.learning.modules.permutation_pass import Rows
from assay.learning.trainer import Trainer
from assay.privacy.option import Privacy
from assay.privacy.rows.directed import Directed
from assay.privacy.rows.directed_private_path import DirectedPrivatePath
from assay.privacy.rows.directed_subspace import DirectedSubspace
from assay.privacy.rows.none import NoPrivacy
from assay.privacy.rows.running_mean_burn_in import RunningMeanBurnIn
from assay.privacy.rows.vector_release import ReleasedVector
from assay.runs import Streams
from assay.statistics import mean_interval, ranks, spearman
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.directed.shares import Utility, budget_shares
from assay.valuation.gradient.directed.subspace import SubspaceRelease
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.gradient.vector_release import VectorRelease
from assay.valuation.valuator import Problem, Run

Vector = NDArray[np.float64]
Row = tuple[tuple[object, ...], list[float]]

SETTINGS = (("diabetes", 0.05), ("breast_cancer", 0.5))
SEEDS, REPLICATES = 5, 24
PERMUTATIONS, LANES = 150, 8  # of the non-private reference, 1200 permutations in all
EVALUATIONS = 40  # of the running mean, and public paths of the vector release
COPIED, COPIES = 20, 5


@dataclass(frozen=True, eq=False)
class Case:
    """One dataset drawn with one seed."""

    name: str
    rate: float
    data: PreparedData
    seed: int
    replicates: int
    model: Model = field(default_factory=Auto)

    def choice(self, utility: str = "negative_loss") -> GradientSemivalue:
        """The valuator."""
        return GradientSemivalue(evaluations=EVALUATIONS, learning_rate=self.rate, utility=utility)  # type: ignore[arg-type]

    def problem(self, privacy: Privacy) -> Problem:
        """The same rows under a mechanism."""
        return Problem(self.data, self.model, privacy)

    @property
    def run(self) -> Run:
        """Streams and trainer of the noise draws."""
        return Run(Streams(1000 + self.seed), Trainer())

    def values(self, privacy: Privacy, utility: str = "negative_loss") -> Vector:
        """Values [replicates, n] under a mechanism, a replicate for each noise draw."""
        return self.choice(utility).replicates(self.problem(privacy), self.run, self.replicates).values

    def reference(self, utility: str = "negative_loss", judges: NDArray[np.int64] | None = None) -> Vector:
        """Values [n] without privacy, judged by some of the valid rows."""
        valuator = replace(self.choice(utility), evaluations=PERMUTATIONS, wave=PERMUTATIONS)
        data = self.data if judges is None else replace(self.data, valid=rows_at(self.data.valid, judges))
        run = Run(Streams(2000 + self.seed), Trainer())
        return np.asarray(valuator.replicates(Problem(data, self.model, NoPrivacy()), run, LANES).values.mean(axis=0))


def rows_at(part: Arrays, rows: NDArray[np.int64]) -> Arrays:
    """Some rows of a split, in a given order; a row may come up more than once."""
    return Arrays(part.features[rows], part.target[rows], part.ids[rows], part.clean[rows])


def cases(seeds: int, replicates: int) -> list[list[Case]]:
    """100 train rows with 30 % wrong targets, 171 that judge; dataset by dataset, a case for each seed."""
    split = "dataset.split={train: 100, valid: 171, test: 171}"
    shape = ["dataset.preprocess.components=5", "dataset.preprocess.norm=1.0", "dataset.corruption.labels=0.3"]
    by_dataset = []
    for name, rate in SETTINGS:
        overrides = [f"dataset={name}", split, *shape]
        tables = [prepared(compose([*overrides, f"seed={seed}"])) for seed in range(seeds)]
        by_dataset.append([Case(name, rate, data, seed, replicates) for seed, data in enumerate(tables)])
    return by_dataset


def fidelity(values: Vector, truth: Vector) -> float:
    """Mean Spearman correlation over replicates."""
    return float(np.mean(spearman(values, truth)))


def public_points(case: Case) -> Iterator[Row]:
    """Fewer public rows drive trajectories and design; all valid rows judge."""
    truth, valid = case.reference(), rows_of(case.data.valid, torch.float64)
    order = Streams(case.seed).generator("public rows").permutation(len(valid))
    for count in (5, 20, 100, len(valid)):
        public = Rows(valid.features[order[:count].copy()], valid.target[order[:count].copy()])
        scores = []
        for epsilon in (8.0, 1.0):
            release = DirectedRelease(
                case.choice(),
                case.problem(Directed(epsilon=epsilon)),
                case.run,
                "values",
                case.replicates,
                public=public,
            )
            scores.append(fidelity(release.estimates().values, truth))
        exact = release.exact_values(release.train, release.along.thetas(release.privacy.paths)).numpy()
        yield (case.name, count), [fidelity(exact, truth), *scores]


def judges_of(case: Case, count: int) -> list[NDArray[np.int64]]:
    """Valid rows for each of 1, 2, 4 or 8 utilities: all; by class or about the median target; each cut by a feature or two."""
    valid = case.data.valid
    keys = [valid.target, valid.features[:, 0], valid.features[:, 1]][: count.bit_length() - 1]
    parts = [np.arange(len(valid))]
    for key in keys:
        at = [0.5 if key is valid.target and case.data.classes else np.median(key[part]) for part in parts]
        parts = [part[(key[part] > cut) == side] for part, cut in zip(parts, at, strict=True) for side in (False, True)]
    return parts


def several_utilities(case: Case) -> Iterator[Row]:
    """Values for m utilities at once: shares of the budget, releases in r dimensions, the vector release.

    The subspace is that of the m utilities; "1 of 2" is one that was thought of after a release made for two others.
    """
    for label, count, basis in (("1", 1, 1), ("1 of 2", 1, 2), ("2", 2, 2), ("4", 4, 4), ("8", 8, 8)):
        places = judges_of(case, count)
        truths = [case.reference(judges=place) for place in places]
        judges, own = (
            [rows_of(rows_at(case.data.valid, place), torch.float64) for place in judges_of(case, some)]
            for some in (count, basis)
        )
        apart = [float(spearman(a, b)) for i, a in enumerate(truths) for b in truths[:i]]
        for epsilon in (8.0, 4.0, 1.0):
            utilities = [Utility("negative_loss", rows) for rows in judges]
            problem = case.problem(Directed(epsilon=epsilon))
            shared = budget_shares(case.choice(), problem, case.run, "values", utilities, case.replicates)
            estimates = [[each.values for each in shared.estimates]]
            for dimensions in (1, 2, 4):
                problem = case.problem(DirectedSubspace(epsilon=epsilon, dimensions=dimensions))
                extra = own if basis > 1 else []
                release = SubspaceRelease(case.choice(), problem, case.run, "values", case.replicates, judges=extra)
                projections, slopes = release.run().projections, [release.slope(rows) for rows in judges]
                estimates.append([projections.values(slope)[0] for slope in slopes])
            releases = vectors(case, epsilon)
            estimates.append([(releases @ slope).numpy() for slope in slopes])
            scores = [
                float(np.mean([fidelity(*pair) for pair in zip(each, truths, strict=True)])) for each in estimates
            ]
            yield (case.name, label, epsilon), [float(np.mean(apart)) if apart else float("nan"), *scores]


def vectors(case: Case, epsilon: float) -> torch.Tensor:
    """The vector release's gradients [R, n, P], from which values for any utility follow at no further cost."""
    problem = case.problem(ReleasedVector(epsilon=epsilon))
    vector = VectorRelease(case.choice(), problem, case.run, "values", case.replicates)
    vector.fit.estimates()
    assert vector.private.reuse is not None
    return vector.private.reuse.mean_releases(1).double()


def redundancy(case: Case) -> Iterator[Row]:
    """Clean rows, any or of one class (regression: of the highest targets), that are in the table COPIES times more.

    Ranks are in parts of the table, from 0 for the lowest value; standard deviations are those of the non-private values.
    """
    train, generator = case.data.train, Streams(case.seed).generator("copied rows")
    clean = np.flatnonzero(train.clean)
    alike = clean[np.argsort(-train.target[clean] + 1e-6 * generator.random(len(clean)))]
    for kind, chosen in (("any", generator.permutation(clean)[:COPIED]), ("alike", alike[:COPIED])):
        places = np.concatenate([np.arange(len(train)), np.tile(chosen, COPIES)])
        table = replace(rows_at(train, places), ids=np.arange(len(places)))
        widened = replace(case, data=replace(case.data, train=table))
        copied, truth = np.isin(places, chosen), widened.reference()
        release = DirectedRelease(widened.choice(), widened.problem(Directed()), widened.run, "values")
        by_release = {
            "none": truth[None],
            "directed, no noise": release.exact_values(
                release.train, release.along.thetas(release.privacy.paths)
            ).numpy()[None],
            "directed": widened.values(Directed()),
            "directed_private_path": widened.values(DirectedPrivatePath()),
            "running_mean_burn_in": widened.values(RunningMeanBurnIn(burn_in=0.9)),
        }
        for name, values in by_release.items():
            place = (ranks(values)[:, copied].mean() - 0.5) / len(places)
            beyond = (values[:, copied].mean() - truth[copied].mean()) / truth.std()
            yield (case.name, kind, name), [fidelity(values, truth), float(place), float(beyond)]


def private_path(case: Case) -> Iterator[Row]:
    """The same release along a private path and along public ones."""
    for utility in ("negative_loss", "accuracy") if case.data.classes else ("negative_loss",):
        truth = case.reference(utility)
        for epsilon in (8.0, 4.0, 1.0):
            ways = (Directed(epsilon=epsilon), DirectedPrivatePath(epsilon=epsilon, path_from=0.0))
            scores = [fidelity(case.values(way, utility), truth) for way in ways]
            yield (case.name, utility, epsilon), [*scores, scores[1] - scores[0]]


def table(title: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[Row]]) -> str:
    """Markdown of means over seeds with half the width of their 95 % interval; rows are a list for each seed."""
    lines = [f"### {title}", "", "| " + " | ".join([*keys, *columns]) + " |", "|---" * (len(keys) + len(columns)) + "|"]
    for same in zip(*rows, strict=True):
        cells = [f"{part:g}" if isinstance(part, float) else str(part) for part in same[0][0]]
        for samples in zip(*(answers for _, answers in same), strict=True):
            interval = mean_interval(samples)
            whole = (
                "" if np.isnan(samples).any() else f"{interval.estimate:.2f} ± {interval.high - interval.estimate:.2f}"
            )
            cells.append(whole)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


Question = tuple[str, Callable[[Case], Iterator[Row]], tuple[str, ...], tuple[str, ...]]

QUESTIONS: tuple[Question, ...] = (
    ("Public rows", public_points, ("dataset", "public rows"), ("no noise", "epsilon 8", "epsilon 1")),
    (
        "Several utilities",
        several_utilities,
        ("dataset", "m", "epsilon"),
        ("references agree", "budget shares", "subspace r=1", "subspace r=2", "subspace r=4", "vector release"),
    ),
    (
        "Redundancy",
        redundancy,
        ("dataset", "copied", "mechanism"),
        ("Spearman", "mean rank of copied", "value of copied beyond the true one, in sd"),
    ),
    (
        "Private path",
        private_path,
        ("dataset", "utility", "epsilon"),
        ("public path", "private path", "private minus public"),
    ),
)


def main(seeds: int = SEEDS, replicates: int = REPLICATES) -> None:
    """Prints a table for each question: means over seeds with their 95 % intervals."""
    drawn = cases(seeds, replicates)
    for title, question, keys, columns in QUESTIONS:
        by_seed = [[row for case in same for row in question(case)] for same in zip(*drawn, strict=True)]
        print(table(title, keys, columns, by_seed), flush=True)


if __name__ == "__main__":
    main()
