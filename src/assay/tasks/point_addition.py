"""I have k rows and can add some of these: which?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import Limit, not_empty
from assay.config.schema_types import LawEstimator
from assay.errors import InputError
from assay.runs import Outcome
from assay.tasks.fields import AtLeastTwo, Count
from assay.tasks.headlines import of_picks
from assay.tasks.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class PointAddition:
    """Picks `add` of `candidates` rows for a data set of k rows, for each k of `pools`, and shows what the picks are worth.

    Scores: psi at each k of `pools` from the valuator's law (`matched_<k>`) and from each further of `estimators`
    (`<estimator>_<k>`), and the Monte Carlo mean of the same samples (`shapley`). A pick has the candidates with the highest
    scores, as many of each class as the candidates have of it when `balanced`. `joint` adds picks for what they bring
    together (`joint_<k>`, ours), where contributions are a closed form; they are then the decision. A `random` pick is drawn
    anew for every set. Picks are judged by adding them to `repeats` random sets of k other rows: gains in percentage points
    of accuracy and in thousandths of the loss on the test split, which reports and chooses nothing. Source: 2405.20456,
    point addition; the paper leaves out rows whose law fits badly (R^2 below .9, or alpha below .5), here all stay.
    """

    reads_test: ClassVar[bool] = False  # but where the picks are judged

    pools: Annotated[list[Count], not_empty("e.g. [500,5000]")] = field(default_factory=lambda: [500, 5000])
    add: Count = 100
    candidates: AtLeastTwo = 1000
    balanced: bool = True
    repeats: Annotated[
        int, Limit(lambda count: count == 0 or count >= 2, "must be 0, or 2 or more", "0 does not judge")
    ] = 200
    estimators: list[LawEstimator] = field(default_factory=lambda: ["likelihood"])
    joint: bool = True
    name: str = "point_addition"

    def answer(self, study: Study) -> Outcome:
        """Tables `picks` (the decision: ids for every size) and `summary` (gains); metrics by pool and score."""
        import pandas as pd

        from assay.figures.addition import addition_figure
        from assay.selection.marginal_picks import pick_jointly
        from assay.tasks.addition_gains import gain_metrics, gain_rows, gains_over, top
        from assay.tasks.scaling import sampling_of, scaling_problem, scaling_valuator, split_points
        from assay.valuation.laws.covariates import covariates_of
        from assay.valuation.laws.estimators import fit_laws

        valuator = scaling_valuator(study, self.name)
        self._check(study)
        points, pool = split_points(study, self.candidates, max(*self.pools, valuator.largest), "task.candidates")
        setting = scaling_problem(study, valuator, points, pool)
        with study.context.progress.task("sampling contributions", valuator.evaluations) as bar:
            sampling = sampling_of(study, setting, bar.advance)
            shared = valuator.subsets == "shared"
            samples = sampling.samples(
                "candidates", valuator.cardinalities, valuator.evaluations, valuator.level, shared=shared
            )
        known, sizes = covariates_of(setting), np.asarray(sorted(self.pools))
        scores: dict[str, Floats] = {}
        errors: dict[str, Floats] = {}
        for name, label in [(valuator.estimator, "matched"), *((name, name) for name in self.estimators)]:
            generator = study.context.streams.generator("law", name)
            predicted = fit_laws(name, setting, samples, known, generator, study.trainer).at(sizes)
            for place, size in enumerate(sizes):
                scores[f"{label}_{size}"] = predicted.mean[:, place]
                errors[f"{label}_{size}"] = predicted.std_error[:, place]
        weights = 1 / samples.density
        scores["shapley"] = (samples.delta * weights).sum(axis=1) / weights.sum(axis=1)
        labels = np.asarray(setting.points.target) if self.balanced and setting.kind == "classification" else None
        picks = {name: top(score, self.add, labels) for name, score in scores.items()}
        if self.joint:
            quotas = None if labels is None else np.bincount(labels[picks["shapley"]], minlength=setting.classes)
            for size in sizes:
                picks[f"joint_{size}"] = pick_jointly(setting, int(size), self.add, study.context.streams, quotas)
        table = pd.DataFrame(_picks(study, points, sizes, picks, scores, errors))
        metrics = {"model_fits": float(samples.fits), "refits": float(samples.fallbacks)}
        metrics |= _overlaps(picks, sizes)
        tables, figures = {"picks": table}, {}
        if self.repeats:
            gains = {
                int(size): gains_over(study, points, pool, picks, labels, int(size), self.repeats) for size in sizes
            }
            tables["summary"] = pd.DataFrame(gain_rows(gains, setting.kind))
            metrics |= gain_metrics(gains, setting.kind)
            metrics["model_fits"] += float(self.repeats * len(sizes) * (2 + len(picks)))
            figures["gains"] = addition_figure(tables["summary"], study.data.kind)
        return Outcome(metrics, tables, figures, files={"picks.csv": table}, headline=of_picks(table, metrics))

    def _check(self, study: Study) -> None:
        if self.add >= self.candidates:
            told = f"leaves no choice among {self.candidates} candidates"
            raise InputError("task.add", self.add, told, "lower it, or raise task.candidates")
        if self.repeats and len(study.data.test) == 0:
            raise InputError("task.repeats", self.repeats, "scores on the test split, which is empty", "use 0")


def _picks(
    study: Study,
    points: Integers,
    sizes: Integers,
    picks: dict[str, Integers],
    scores: dict[str, Floats],
    errors: dict[str, Floats],
) -> list[dict[str, Any]]:
    """The decision: for each size the chosen rows, best first, with what each would add by itself."""
    train = study.data.train
    rows = []
    for size in sizes:
        name, joint = f"matched_{size}", picks.get(f"joint_{size}")
        chosen = picks[name][np.argsort(-scores[name][picks[name]], kind="stable")] if joint is None else joint
        for rank, place in enumerate(chosen, start=1):
            row = {"k": int(size), "rank": rank, "id": int(train.ids[points[place]])}
            row |= {"target": train.target[points[place]]}
            rows.append({**row, "value": scores[name][place], "std_error": errors[name][place]})
    return rows


def _overlaps(picks: dict[str, Integers], sizes: Integers) -> dict[str, float]:
    """Share of the picks for the smallest size that are picked for the largest as well."""
    small, large = (set(picks[f"matched_{size}"].tolist()) for size in (sizes[0], sizes[-1]))
    return {"picks/overlap": len(small & large) / len(small)}
