"""The cells of an experiment: each valued once, saved, and by any number of workers with the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.data import PreparedData
from assay.learning.models import ModelSpec
from assay.learning.trainers import TrainerSpec
from assay.privacy.spec import PrivacySpec
from assay.runs.directory import write_atomically
from assay.runs.streams import Streams
from assay.tasks.study import Study
from assay.valuation.estimates import Estimator

ARRAYS = ("values", "touches", "evaluations", "epsilon", "utility_evaluations", "seconds", "cpu_seconds")


@dataclass(frozen=True)
class Cell:
    """One mechanism at one number of evaluations; cells with the same purpose draw the same permutations and noise."""

    purpose: str
    privacy: PrivacySpec
    evaluations: int
    replicates: int

    @property
    def file(self) -> str:
        """Where the cell's result is kept until the run is finished."""
        return f"{self.purpose}-{self.privacy.name}.npz"


@dataclass(frozen=True)
class Bench:
    """What every cell is valued with; can be sent to another process."""

    valuator: Estimator
    data: PreparedData
    model: ModelSpec
    streams: Streams
    trainer: TrainerSpec
    scratch: Path

    def measure(self, cell: Cell, advance: Callable[[int], object] = lambda rounds: None) -> dict[str, Any]:
        """The cell's result, from its file if an interrupted run had got so far."""
        path = self.scratch / cell.file
        if not path.exists():
            valuator = self.valuator.with_budget(cell.evaluations, cell.replicates)
            found = valuator.value(
                self.data,
                self.model,
                cell.privacy,
                self.streams,
                self.trainer,
                purpose=cell.purpose,
                checkpoint=path.with_suffix(".pt"),
                advance=advance,
            )
            arrays = {name: np.asarray(getattr(found, name)) for name in ARRAYS[:5]} | found.extras
            arrays |= {"seconds": np.asarray(found.cost.seconds), "cpu_seconds": np.asarray(found.cost.cpu_seconds)}
            label = {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
            arrays["entries"] = np.asarray(json.dumps([{**label, **entry} for entry in found.entries]))
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **arrays)
            write_atomically(path, buffer.getvalue())
        with np.load(path, allow_pickle=False) as saved:
            return {**{name: saved[name] for name in saved.files}, "entries": json.loads(str(saved["entries"]))}


def measure_cells(study: Study, valuator: Estimator, cells: Sequence[Cell]) -> list[dict[str, Any]]:
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
