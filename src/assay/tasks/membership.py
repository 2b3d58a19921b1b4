"""Attacks that guess from published values whether a row took part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import at_least
from assay.errors import InputError
from assay.privacy.ceilings import membership_ceiling, true_positive_ceiling
from assay.runs import Outcome
from assay.statistics import detection_auc, mean_interval
from assay.tasks.comparison import RESEARCH, Cell, spending
from assay.tasks.fields import Contenders
from assay.tasks.headlines import of_summary
from assay.tasks.uncertainty import columns

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers
    from assay.config.choices import Choices
    from assay.privacy.option import Privacy
    from assay.valuation.gradient.estimates import Subtables
    from assay.valuation.valuator import Problem, Run, Valuator

FALSE_POSITIVES = 0.01
SHOWN = ("contender", "view", "auc", "auc_ceiling", "true_positive_rate", "true_positive_rate_ceiling")
VIEWS = ("own", "others")


@dataclass(frozen=True)
class Membership:
    """Attacks the membership of single rows by likelihood ratios, from published values alone.

    The game, for each target row: a table of `rows` slots holds the target and other rows of the train split. In one half of
    the tables the target takes part, in the other its gradient vanishes (the zero-out neighbour; the slot itself is public).
    The attacker knows the target, the valid split and the distribution of the rows, and runs shadow tables of its own; a
    Gaussian is fitted to what it sees of the shadows with the target and one to that without, and their likelihood ratio
    judges tables that were not fitted to. The other rows are drawn anew for every table, since the attacker does not know them;
    with `informed` it does, as the adversary of differential privacy may, and all tables of a target hold the same rows.
    Permutations and noise are always drawn anew. Two views:

    * `own`: the value published in the target's slot. Without privacy a vanished gradient publishes exactly zero, so this
      view is lost by definition; with privacy the slot publishes noise.
    * `others`: the values of the other rows only, by their sum, which is what they have taught the model.

    For any reader of a mu-GDP release the ROC-AUC is at most Phi(mu / sqrt 2), and the true-positive rate at a false-positive
    rate a at most Phi(Phi^-1(a) + mu); both views are functions of one.
    Source: Carlini et al. 2022 (LiRA) for the attack; 2412.17008, appendix (as a reviewer describes it), for the question.
    """

    reads_test: ClassVar[bool] = False

    contenders: Contenders = ("none", "iid", "running_mean_burn_in")  # type: ignore[assignment]
    rows: Annotated[int, at_least(2, "the target and one more")] = 50
    targets: Annotated[int, at_least(2, "an interval needs two")] = 16
    tables: Annotated[int, at_least(4, "half of them are shadows, and a deviation needs two")] = 64
    informed: bool = False
    name: str = "membership"

    @property
    def estimates(self) -> int:
        """Tables that each contender values, each with releases of its own."""
        return 2 * 2 * (self.tables // 2) * self.targets

    def check(self, run: Choices) -> None:
        """Raises InputError for contenders whose values of a row say nothing of the others, or of a row that is not there."""
        for each in self.contenders:
            if each.privacy.one_release:
                limit = "gives a row its value without the others', which this game is about"
                raise InputError("task.contenders", each.name, limit, "e.g. task.contenders=[none,iid]")
            if each.valuation.players != "rows":
                raise InputError("task.contenders", each.name, "values no single rows", "use a valuator of rows")
            if each.privacy.private and not getattr(each.valuation, "takes_subtables", False):
                limit = "releases nothing for a row that is not there, which shows that it is not"
                raise InputError("task.contenders", each.name, limit, "use valuation=gradient_semivalue")
            if getattr(each.valuation, "wave", 1) != 1:
                limit = "task=membership values another table in each lane"
                raise InputError("valuation.wave", each.valuation.wave, limit, "use valuation.wave=1")

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables summary and targets, the same as flat metrics, and a figure; InputError when the train split is too small."""
        import pandas as pd

        from assay.figures.membership import membership_figure
        from assay.tasks.measuring import measure

        train = problem.data.train
        self._check_size(len(train))
        generator = run.streams.generator("membership")
        chosen = generator.choice(len(train), self.targets, replace=False)
        tables = 2 * (self.tables // 2)
        subtables = draw_tables(chosen, len(train), self.rows, tables, self.informed, generator)
        results = measure(
            [
                Cell("membership", each, getattr(each.valuation, "evaluations", 1), len(subtables.rows), (), subtables)
                for each in self.contenders
            ],
            problem,
            run,
        )
        summary: list[dict[str, Any]] = []
        by_target: list[dict[str, Any]] = []
        for each in results:
            contender = each.cell.contender
            for view in VIEWS:
                aucs, rates = attack(seen_by(each.values, chosen, view))
                label = {"contender": contender.name, "view": view}
                summary.append({**label, **_row(aucs, rates, contender.privacy)})
                ids = (int(train.ids[row]) for row in chosen)
                by_target += [{**label, "id": row, "auc": float(auc)} for row, auc in zip(ids, aucs, strict=True)]
        ledger, spent = spending(results)
        table = pd.DataFrame(summary)
        metrics = {"epsilon_per_estimate": spent}
        for row in summary:
            names = ("auc", "true_positive_rate", "auc_ceiling", "true_positive_rate_ceiling")
            metrics |= {f"{row['contender']}/{row['view']}/{name}": float(row[name]) for name in names}
        metrics["utility_evaluations"] = float(sum(each.utility_evaluations for each in results))
        return Outcome(
            metrics,
            {"summary": table, "targets": pd.DataFrame(by_target)},
            {"membership": membership_figure(table)},
            headline=of_summary(table, SHOWN, {}),
            ledger=ledger,
            facts={"release": RESEARCH},
        )

    def _check_size(self, size: int) -> None:
        if self.rows > size:
            reason = f"a table holds rows of the train split, which has {size}"
            raise InputError("task.rows", self.rows, reason, "lower it or raise dataset.split.train")
        if self.targets > size:
            reason = f"targets are rows of the train split, which has {size}"
            raise InputError("task.targets", self.targets, reason, "lower it or raise dataset.split.train")


def draw_tables(
    targets: Integers, size: int, rows: int, tables: int, informed: bool, generator: np.random.Generator
) -> Subtables:
    """Tables for every target, `tables` with it and then as many without, in that order.

    The target stands first; the others are drawn without replacement from the train split of `size` rows, anew for every table,
    or once for each target when the attacker is informed.
    """
    from assay.valuation.gradient.estimates import Subtables

    drawn = 1 if informed else 2 * tables
    keys = generator.random((len(targets), drawn, size))
    keys[np.arange(len(targets)), :, targets] = -1.0  # first in every table
    picked = np.broadcast_to(keys.argsort(axis=2, kind="stable")[..., :rows], (len(targets), 2 * tables, rows))
    absent = np.tile(np.repeat([False, True], tables), len(targets))
    return Subtables(picked.reshape(-1, rows), np.where(absent, np.repeat(targets, 2 * tables), -1))


def seen_by(values: Floats, targets: Integers, view: str) -> Floats:
    """Numbers that the attacker looks at [T, 2, tables] of values [T * 2 * tables, n]: with the target first, then without."""
    by_target = values.reshape(len(targets), 2, -1, values.shape[1])
    own = np.stack([part[..., target] for part, target in zip(by_target, targets, strict=True)])
    return own if view == "own" else np.asarray(np.nansum(by_target, axis=3) - own)


def attack(seen: Floats) -> tuple[Floats, Floats]:
    """ROC-AUC [T] and true-positive rate at 1 % false positives [T] from what is seen [T, 2, tables] (with, without).

    One half of the tables is fitted to and the other judged, then the other way round; figures are means of the two.
    The threshold of the true-positive rate is one for all targets, as in LiRA.
    """
    aucs, rates = [], []
    half = seen.shape[2] // 2
    for shadows, victims in ((seen[..., :half], seen[..., half:]), (seen[..., half:], seen[..., :half])):
        scores = _log_ratio(shadows, victims)
        present = np.repeat([True, False], scores.shape[2])
        aucs.append(detection_auc(scores.reshape(len(scores), -1), present))
        negatives = np.sort(scores[:, 1].ravel())
        threshold = negatives[len(negatives) - 1 - int(FALSE_POSITIVES * len(negatives))]
        rates.append((scores[:, 0] > threshold).mean(axis=1))
    return np.mean(aucs, axis=0), np.mean(rates, axis=0)


def _log_ratio(shadows: Floats, victims: Floats) -> Floats:
    """Log likelihood ratio [T, 2, m] of the two Gaussians fitted to each target's shadows [T, 2, s]."""
    mean, deviation = shadows.mean(axis=2), shadows.std(axis=2, ddof=1)
    # a value that never varies (a vanished gradient without noise) has a deviation too, next to nothing beside the other
    deviation = np.maximum(deviation, 1e-9 * deviation.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny)
    z = (victims[:, None] - mean[:, :, None, None]) / deviation[:, :, None, None]
    log_density = -(z**2) / 2 - np.log(deviation)[:, :, None, None]
    return np.asarray(log_density[:, 0] - log_density[:, 1])


def _row(aucs: Floats, rates: Floats, privacy: Privacy) -> dict[str, float]:
    row = columns({"auc": mean_interval(aucs), "true_positive_rate": mean_interval(rates)})
    mu = privacy.mu
    row["auc_ceiling"] = membership_ceiling(mu)
    row["true_positive_rate_ceiling"] = true_positive_ceiling(mu, FALSE_POSITIVES)
    return row
