"""How well do published values betray whether a row took part?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import at_least, not_empty
from assay.errors import InputError
from assay.privacy.ceilings import membership_ceiling, true_positive_ceiling
from assay.runs import Outcome
from assay.statistics import detection_auc, mean_interval
from assay.tasks.cells import RESEARCH, Cell, measure_cells, other_mechanism, spending
from assay.tasks.headlines import of_summary
from assay.tasks.study import Study, gradient_valuator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.privacy.option import Privacy
    from assay.valuation.gradient.estimates import Subtables

FALSE_POSITIVES = 0.01
VIEWS = ("own", "others")

SHOWN = ("mechanism", "view", "auc", "auc_ceiling", "true_positive_rate", "true_positive_rate_ceiling")


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

    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")] = field(
        default_factory=lambda: ["none", "iid", "running_mean_burn_in"]
    )
    rows: Annotated[int, at_least(2, "the target and one more")] = 50
    targets: Annotated[int, at_least(2, "an interval needs two")] = 16
    tables: Annotated[int, at_least(4, "half of them are shadows, and a deviation needs two")] = 64
    informed: bool = False
    name: str = "membership"

    def answer(self, study: Study) -> Outcome:
        """Tables summary and targets, the same as flat metrics, and a figure; InputError when the train split is too small."""
        import pandas as pd

        from assay.figures.membership import membership_figure

        valuator, privacy = gradient_valuator(study, self.name), study.row_privacy()
        self._check(study)
        generator = study.context.streams.generator("membership")
        chosen = generator.choice(len(study.data.train), self.targets, replace=False)
        tables = 2 * (self.tables // 2)
        subtables = draw_tables(chosen, len(study.data.train), self.rows, tables, self.informed, generator)
        lanes = len(subtables.rows)
        cells = [
            Cell("membership", other_mechanism(privacy, name), valuator.evaluations, lanes, subtables=subtables)
            for name in self.mechanisms
        ]
        found = measure_cells(study, valuator, cells)
        summary: list[dict[str, Any]] = []
        by_target: list[dict[str, Any]] = []
        for cell, result in zip(cells, found, strict=True):
            for view in VIEWS:
                aucs, rates = attack(seen_by(result["values"], chosen, view))
                summary.append({"mechanism": cell.privacy.name, "view": view, **_row(aucs, rates, cell.privacy)})
                by_target += [
                    {
                        "mechanism": cell.privacy.name,
                        "view": view,
                        "id": int(study.data.train.ids[row]),
                        "auc": float(auc),
                    }
                    for row, auc in zip(chosen, aucs, strict=True)
                ]
        ledger, spent = spending(found)
        table = pd.DataFrame(summary)
        metrics = {"epsilon_per_estimate": spent}
        for row in summary:
            columns = ("auc", "true_positive_rate", "auc_ceiling", "true_positive_rate_ceiling")
            metrics |= {f"{row['mechanism']}/{row['view']}/{name}": float(row[name]) for name in columns}
        metrics["utility_evaluations"] = float(sum(int(r["utility_evaluations"]) for r in found))
        return Outcome(
            metrics,
            {"summary": table, "targets": pd.DataFrame(by_target)},
            {"membership": membership_figure(table)},
            headline=of_summary("summary", SHOWN, {}),
            ledger=ledger,
            facts={"release": RESEARCH},
        )

    def _check(self, study: Study) -> None:
        once = [name for name in self.mechanisms if other_mechanism(study.privacy, name).one_release]
        if once:
            told = f"{once[0]} gives a row its value without the others', which this game is about"
            raise InputError("task.mechanisms", once[0], told, "e.g. task.mechanisms=[none,iid]")
        size = len(study.data.train)
        if self.rows > size:
            told = f"a table holds rows of the train split, which has {size}"
            raise InputError("task.rows", self.rows, told, "lower it or raise dataset.split.train")
        if self.targets > size:
            told = f"targets are rows of the train split, which has {size}"
            raise InputError("task.targets", self.targets, told, "lower it or raise dataset.split.train")


def draw_tables(
    targets: NDArray[np.int64], size: int, rows: int, tables: int, informed: bool, generator: np.random.Generator
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


def seen_by(values: NDArray[np.float64], targets: NDArray[np.int64], view: str) -> NDArray[np.float64]:
    """What the attacker looks at [T, 2, tables] of values [T * 2 * tables, n]: with the target first, then without."""
    by_target = values.reshape(len(targets), 2, -1, values.shape[1])
    own = np.stack([part[..., target] for part, target in zip(by_target, targets, strict=True)])
    return own if view == "own" else np.asarray(np.nansum(by_target, axis=3) - own)


def attack(seen: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ROC-AUC [T] and true-positive rate at 1 % false positives [T] from what is seen [T, 2, tables] (with, without).

    One half of the tables is fitted to and the other judged, then the other way round; figures are means of the two.
    The threshold of the true-positive rate is one for all targets, as in LiRA.
    """
    aucs, rates = [], []
    half = seen.shape[2] // 2
    for shadows, victims in ((seen[..., :half], seen[..., half:]), (seen[..., half:], seen[..., :half])):
        scores = _log_ratio(shadows, victims)
        kept = np.repeat([True, False], scores.shape[2])
        aucs.append(detection_auc(scores.reshape(len(scores), -1), kept))
        negatives = np.sort(scores[:, 1].ravel())
        threshold = negatives[len(negatives) - 1 - int(FALSE_POSITIVES * len(negatives))]
        rates.append((scores[:, 0] > threshold).mean(axis=1))
    return np.mean(aucs, axis=0), np.mean(rates, axis=0)


def _log_ratio(shadows: NDArray[np.float64], victims: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log likelihood ratio [T, 2, m] of the two Gaussians fitted to each target's shadows [T, 2, s]."""
    mean, deviation = shadows.mean(axis=2), shadows.std(axis=2, ddof=1)
    # a value that never varies (a vanished gradient without noise) has a deviation too, next to nothing beside the other
    deviation = np.maximum(deviation, 1e-9 * deviation.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny)
    z = (victims[:, None] - mean[:, :, None, None]) / deviation[:, :, None, None]
    log_density = -(z**2) / 2 - np.log(deviation)[:, :, None, None]
    return np.asarray(log_density[:, 0] - log_density[:, 1])


def _row(aucs: NDArray[np.float64], rates: NDArray[np.float64], privacy: Privacy) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, samples in (("auc", aucs), ("true_positive_rate", rates)):
        interval = mean_interval(samples)
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    mu = privacy.mu
    row["auc_ceiling"] = membership_ceiling(mu)
    row["true_positive_rate_ceiling"] = true_positive_ceiling(mu, FALSE_POSITIVES)
    return row
