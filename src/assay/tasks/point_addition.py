"""I have k rows and can add some of these: which?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import Limit, not_empty
from assay.errors import InputError
from assay.runs import Outcome
from assay.tasks.fields import AtLeastTwo, Count
from assay.tasks.headlines import of_picks
from assay.tasks.needs import check_laws, check_test_split
from assay.tasks.scaling import check_at_one_size, sampling_of, setting_at, sized_for, split_points
from assay.valuation.laws.estimators import EstimatorName

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers
    from assay.config.choices import Choices
    from assay.data import Arrays
    from assay.tasks.scaling import LawValuator
    from assay.valuation.contributions.samples import Contributions
    from assay.valuation.contributions.setting import Setting
    from assay.valuation.valuator import Problem, Run


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

    pools: Annotated[tuple[Count, ...], not_empty("e.g. [500,5000]")] = (500, 5000)
    add: Count = 100
    candidates: AtLeastTwo = 1000
    balanced: bool = True
    repeats: Annotated[
        int, Limit(lambda count: count == 0 or count >= 2, "must be 0, or 2 or more", "0 does not judge")
    ] = 200
    estimators: tuple[EstimatorName, ...] = ("likelihood",)
    joint: bool = True
    name: str = "point_addition"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuation without laws, no choice among candidates, and rows or scores that lack."""
        check_laws(run)
        check_at_one_size(run, self.estimators)
        if self.add >= self.candidates:
            limit = f"leaves no choice among task.candidates={self.candidates}"
            raise InputError("task.add", self.add, limit, "lower it, or raise task.candidates")
        largest, train = max(*self.pools, run.valuation.largest or 0), run.dataset.split.train
        if train >= 1 and self.candidates + largest > train:
            limit = f"needs task.candidates={self.candidates} and {largest} rows beside them"
            raise InputError("dataset.split.train", f"{train:g}", limit, "raise it, or lower task.pools")
        if self.joint and not run.model.closed_form:
            limit = f"scores points again and again, and model={run.model.name} has no closed form to do it by"
            raise InputError("task.joint", "true", limit, "use task.joint=false, or model=auto")
        if self.repeats:
            check_test_split(run, "a share, or a number of rows; or task.repeats=0")

    def answer(self, problem: Problem, valuator: LawValuator, run: Run) -> Outcome:
        """Tables `picks` (the decision: ids for every size) and `summary` (gains); metrics by pool and score."""
        import pandas as pd

        from assay.figures.addition import addition_figure
        from assay.selection.by_value import top
        from assay.selection.marginal_picks import pick_jointly
        from assay.tasks.addition_gains import Picked, gain_metrics, gain_rows

        self._check_test(len(problem.data.test))
        valuator = sized_for(valuator, problem.data, self.candidates, beyond=0, key="task.candidates")
        largest = max(*self.pools, valuator.cardinalities.largest)
        points, pool = split_points(problem.data, run.streams, self.candidates, largest, "task.candidates")
        setting = setting_at(problem, valuator, points, pool)
        samples = _sampled(setting, valuator, run)
        sizes = np.asarray(sorted(self.pools))
        scores, errors = self._scores(setting, samples, sizes, valuator, run)
        labels = np.asarray(setting.points.target) if self.balanced and setting.kind == "classification" else None
        picks = {name: top(score, self.add, labels) for name, score in scores.items()}
        if self.joint:
            quotas = None if labels is None else np.bincount(labels[picks["shapley"]], minlength=setting.classes)
            for size in sizes:
                picks[f"joint_{size}"] = pick_jointly(setting, int(size), self.add, run.streams, quotas)
        table = pd.DataFrame(_decision(problem.data.train, points, sizes, picks, scores, errors))
        metrics = {"model_fits": float(samples.fits), "refits": float(samples.fallbacks)}
        metrics |= _overlaps(picks, sizes)
        tables, figures = {"picks": table}, {}
        if self.repeats:
            picked = Picked(points, pool, picks, labels)
            gains = {int(size): picked.gains(problem, run, int(size), self.repeats) for size in sizes}
            tables["summary"] = pd.DataFrame(gain_rows(gains, setting.kind))
            metrics |= gain_metrics(gains, setting.kind)
            metrics["model_fits"] += float(self.repeats * len(sizes) * (2 + len(picks)))
            figures["gains"] = addition_figure(tables["summary"], setting.kind)
        headline = of_picks(table, metrics)
        return Outcome(metrics, tables, figures, files={"picks.csv": table}, headline=headline)

    def _scores(
        self, setting: Setting, samples: Contributions, sizes: Integers, valuator: Any, run: Run
    ) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Scores of the candidates by name, and the standard errors of those that have one."""
        from assay.valuation.laws.covariates import covariates_of
        from assay.valuation.laws.estimators import fit_laws

        known = covariates_of(setting)
        scores: dict[str, Floats] = {}
        errors: dict[str, Floats] = {}
        for name, label in [(valuator.estimator, "matched"), *((name, name) for name in self.estimators)]:
            generator = run.streams.generator("law", name)
            predicted = fit_laws(name, setting, samples, known, generator, run.trainer).at(sizes)
            for place, size in enumerate(sizes):
                scores[f"{label}_{size}"] = predicted.mean[:, place]
                errors[f"{label}_{size}"] = predicted.std_error[:, place]
        weights = 1 / samples.density
        scores["shapley"] = (samples.delta * weights).sum(axis=1) / weights.sum(axis=1)
        return scores, errors

    def _check_test(self, rows: int) -> None:
        if self.repeats and rows == 0:
            raise InputError("task.repeats", self.repeats, "scores on the test split, which is empty", "use 0")


def _sampled(setting: Setting, valuator: Any, run: Run) -> Contributions:
    """Contributions of the candidates to random subsets of the pool."""
    with run.showing("sampling contributions", valuator.evaluations) as shown:
        return sampling_of(setting, shown).samples(
            "candidates",
            valuator.cardinalities,
            valuator.evaluations,
            valuator.level,
            shared=valuator.subsets == "shared",
        )


def _decision(
    train: Arrays,
    points: Integers,
    sizes: Integers,
    picks: dict[str, Integers],
    scores: dict[str, Floats],
    errors: dict[str, Floats],
) -> list[dict[str, Any]]:
    """The decision: for each size the chosen rows, best first, with what each would add alone."""
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
