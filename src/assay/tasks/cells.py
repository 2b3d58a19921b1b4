"""The cells of an experiment: each valued once, saved, and by any number of workers with the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.config.locations import conf_root
from assay.data import PreparedData
from assay.privacy.releases import Releases
from assay.runs import of_account
from assay.runs.directory import write_atomically
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.tasks.study import Study

if TYPE_CHECKING:
    from assay.learning.models import Model
    from assay.learning.trainer import Trainer
    from assay.privacy.option import Privacy
    from assay.valuation.gradient.estimates import Subtables
    from assay.valuation.valuator import Replicable

FOUND = ("values", "touches", "evaluations", "epsilon", "utility_evaluations", "by_burn_in")
COSTS = ("seconds", "cpu_seconds")
RESEARCH = "for research: every estimate spends the budget, there are many, and non-private ones stand beside them"


@dataclass(frozen=True, eq=False)
class Cell:
    """One mechanism at one number of evaluations; cells with the same purpose draw the same permutations and noise.

    `burn_ins` are further burn-ins, whose values come from the same rounds; `subtables` gives replicates tables of their own.
    """

    purpose: str
    privacy: Privacy
    evaluations: int
    replicates: int
    burn_ins: tuple[float, ...] = ()
    subtables: Subtables | None = None

    @property
    def wishes(self) -> dict[str, Any]:
        """What an estimator is asked for beyond the usual."""
        asked = {"burn_ins": self.burn_ins or None, "subtables": self.subtables}
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def file(self) -> str:
        """Where the cell's result is kept until the run is finished."""
        return f"{self.purpose}-{self.privacy.name}.npz"


@dataclass(frozen=True)
class Bench:
    """What every cell is valued with; can be sent to another process."""

    valuator: Replicable
    data: PreparedData
    model: Model
    streams: Streams
    trainer: Trainer
    scratch: Path

    def measure(self, cell: Cell, advance: Callable[[int], object] = lambda rounds: None) -> dict[str, Any]:
        """The cell's result, from its file if an interrupted run had got so far."""
        path = self.scratch / cell.file
        if not path.exists():
            from assay.valuation.valuator import Problem, Run

            valuator: Any = replace(self.valuator, evaluations=cell.evaluations)  # type: ignore[type-var]
            parts = Parts(self.scratch).within(path.stem)
            found = valuator.replicates(
                Problem(self.data, self.model, cell.privacy),
                Run(self.streams, self.trainer, parts, advance=advance),
                cell.replicates,
                purpose=cell.purpose,
                **cell.wishes,
            )
            arrays = {name: np.asarray(getattr(found, name)) for name in FOUND} | found.extras
            arrays |= {name: np.asarray(getattr(found.cost, name)) for name in COSTS}
            label = {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
            entries = of_account(found.entries, cell.file.removesuffix(".npz"), cell.replicates, **label)
            arrays["entries"] = np.asarray(json.dumps(entries))
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **arrays)
            write_atomically(path, buffer.getvalue())
        with np.load(path, allow_pickle=False) as saved:
            return {**{name: saved[name] for name in saved.files}, "entries": json.loads(str(saved["entries"]))}


def measure_cells(study: Study, valuator: Replicable, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Results of all cells in their order; each cell's numbers depend on the seed and the cell alone."""
    context = study.context
    bench = Bench(valuator, study.data, study.model, context.streams, study.trainer, context.scratch)
    with context.progress.task("valuing", sum(cell.evaluations for cell in cells)) as bar:
        if context.workers == 1:
            return [bench.measure(cell, bar.advance) for cell in cells]
        from joblib import Parallel, delayed

        # the dearest first, so that no worker is left with a long one at the end
        order = sorted(range(len(cells)), key=lambda place: -cells[place].evaluations)
        jobs = (delayed(bench.measure)(cells[place]) for place in order)
        results: dict[int, dict[str, Any]] = {}
        for place, result in zip(order, Parallel(context.workers, return_as="generator")(jobs), strict=True):
            results[place] = result
            bar.advance(cells[place].evaluations)
    return [results[place] for place in range(len(cells))]


def reference_cell(privacy: Privacy, evaluations: int, replicates: int) -> Cell:
    """Non-private values from `evaluations` permutations in all, spread over the replicates."""
    return Cell("reference", other_mechanism(privacy, "none"), max(1, -(-evaluations // replicates)), replicates)


def swept_cells(
    privacy: Privacy,
    mechanisms: Sequence[str],
    evaluations: Sequence[int],
    replicates: int,
    burn_ins: Sequence[float] = (),
) -> list[Cell]:
    """Every mechanism at every number of evaluations, under every burn-in if it has one.

    A mechanism that releases each row once has no evaluations to sweep. It is measured once: as k = 1, or, where evaluations
    are the public paths along which a released vector is replayed, at the largest number.
    """
    cells = []
    for name in mechanisms:
        mechanism = other_mechanism(privacy, name)
        shares = tuple(burn_ins) if mechanism.burns_in else ()
        once = [max(evaluations)] if mechanism.releases is Releases.ROW_VECTOR else [1]
        for count in once if mechanism.one_release else evaluations:
            cells.append(Cell(f"evaluations-{count}", mechanism, count, replicates, shares))
    return cells


def other_mechanism(privacy: Privacy, name: str) -> Privacy:
    """The option `name` of group privacy: values of its YAML file, and those of `privacy` for keys that both have."""
    if name == privacy.name:
        return privacy
    import yaml
    from hydra.utils import get_class

    values = yaml.safe_load((conf_root() / "privacy" / f"{name}.yaml").read_text(encoding="utf-8"))
    option = get_class(values.pop("_target_"))
    shared = {key: getattr(privacy, key) for key in values if key != "name" and hasattr(privacy, key)}
    mechanism: Privacy = option(**{**values, **shared})
    return mechanism


def cost_rows(cells: Sequence[Cell], found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seconds and processor seconds of each cell, in columns."""
    return [
        {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
        | {name: float(result[name]) for name in COSTS}
        for cell, result in zip(cells, found, strict=True)
    ]


def spending(found: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], float]:
    """The ledgers of all cells, one after the other, and the epsilon of the estimate that spent most."""
    spent = max((float(result["epsilon"]) for result in found), default=0.0)
    return [entry for result in found for entry in result["entries"]], spent
