"""Values of cells: all replicates at once where a valuator can, else one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.owners import parties_of
from assay.runs import Streams, of_account
from assay.runs.cost import Meter
from assay.tasks.comparison import COSTS, Cell, Measured

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers
    from assay.data import PreparedData
    from assay.valuation.estimates import Estimates
    from assay.valuation.valuator import Problem, Run, Valuation

ARRAYS = ("values", "touches", "evaluations")
EXTRA = "extra/"


def measure(cells: Sequence[Cell], problem: Problem, run: Run) -> list[Measured]:
    """Measures all cells, in their order; each cell's numbers depend on the seed and the cell alone.

    A valuator with `replicates` values all replicates of a cell at once; any other values each by a call of its own, with
    random streams of its own.
    """
    jobs = [job for cell in cells for job in _jobs(cell)]
    with run.showing("valuing", sum(job.cost for job in jobs)) as shown:
        alone = run.parts.workers == 1
        # in this process the valuators move the bar, round by round
        work, advance = _Work(problem, shown if alone else run), None if alone else shown.advance
        parts = list(run.parts.map("cells", work, jobs, cost=lambda job: job.cost, advance=advance))
    by_cell: dict[str, list[dict[str, Any]]] = {}
    for job, part in zip(jobs, parts, strict=True):
        by_cell.setdefault(job.cell.name, []).append(part)
    return [_gathered(cell, by_cell[cell.name]) for cell in cells]


@dataclass(frozen=True, eq=False)
class _Job:
    """A cell, or one replicate of it."""

    cell: Cell
    replicate: int | None = None

    @property
    def cost(self) -> int:
        """Evaluations."""
        return self.cell.evaluations


def _jobs(cell: Cell) -> list[_Job]:
    if can_replicate(cell):
        return [_Job(cell)]
    return [_Job(cell, number) for number in range(cell.replicates)]


def can_replicate(cell: Cell) -> bool:
    """True where the cell's valuator values all replicates at once, in tables of their own where the cell has them."""
    valuator: Any = cell.contender.valuation
    tables = cell.subtables is None or getattr(valuator, "takes_subtables", False)
    return tables and hasattr(valuator, "replicates")


@dataclass(frozen=True, eq=False)
class _Work:
    """Measures one job; can be sent to another process."""

    problem: Problem
    run: Run

    def __call__(self, job: _Job) -> dict[str, Any]:
        cell, number = job.cell, job.replicate
        problem = replace(self.problem, privacy=cell.contender.privacy)
        place = cell.name if number is None else f"{cell.name}-{number}"
        run = replace(self.run, parts=self.run.parts.within(place))
        if number is None:
            return _at_once(cell, problem, run)
        streams = Streams(run.streams.seed(cell.purpose, "replicate", number))
        return _alone(cell, number, problem, replace(run, streams=streams))


def _at_once(cell: Cell, problem: Problem, run: Run) -> dict[str, Any]:
    """All replicates of a cell by a valuator that values them together."""
    asked = {"burn_ins": cell.burn_ins or None, "subtables": cell.subtables}
    wishes = {name: value for name, value in asked.items() if value is not None}
    valuator: Any = cell.valuator
    estimates: Estimates = valuator.replicates(problem, run, cell.replicates, purpose=cell.purpose, **wishes)
    return {
        **{name: getattr(estimates, name) for name in (*ARRAYS, "by_burn_in")},
        "epsilon": float(estimates.epsilon),
        "utility_evaluations": int(estimates.utility_evaluations),
        "entries": of_account(estimates.entries, cell.name, cell.replicates, **cell.key),
        **{name: float(getattr(estimates.cost, name)) for name in COSTS},
        **{f"{EXTRA}{name}": value for name, value in estimates.extras.items()},
    }


def _alone(cell: Cell, number: int, problem: Problem, run: Run) -> dict[str, Any]:
    """One replicate of a cell."""
    meter, tables = Meter(), cell.subtables
    if tables is None:
        valuation = cell.valuator.valuate(problem, run)
        players = _players(problem.data, cell.valuator.players)
        values, evaluations = _aligned(valuation, players)
    else:
        values, evaluations, valuation = _in_table(
            cell, problem, run, tables.rows[number], int(tables.vanished[number])
        )
    releases = max((int(entry.get("most_per_row", 1)) for entry in valuation.ledger), default=0)
    cost = meter.cost()
    return {
        "values": values[None],
        "touches": np.full((1, len(values)), releases),
        "evaluations": evaluations[None],
        "epsilon": float(valuation.epsilon) if valuation.ledger else 0.0,
        "utility_evaluations": int(valuation.utility_evaluations),
        "entries": of_account(valuation.ledger, f"{cell.name}-{number}", **cell.key),
        **{name: float(getattr(cost, name)) for name in COSTS},
    }


def _players(data: PreparedData, players: str) -> Integers:
    """Ids of those who are valued, in the order of all tables: rows of train, or its sources."""
    return parties_of(data.train).source if players == "sources" else data.train.ids


def _aligned(valuation: Valuation, ids: Integers) -> tuple[Floats, Integers]:
    """Values and evaluations in the order of `ids`, whatever the order of the valuator."""
    values, back = valuation.values, np.empty(len(ids), dtype=np.int64)
    back[np.argsort(ids, kind="stable")] = np.argsort(values.ids, kind="stable")
    return values.value[back], values.evaluations[back]


def _in_table(
    cell: Cell, problem: Problem, run: Run, rows: Integers, vanished: int
) -> tuple[Floats, Integers, Valuation]:
    """Values of one table of train rows, NaN for rows outside it, and 0 for a row that has vanished from it."""
    train = problem.data.train
    there = rows[rows != vanished]
    source = None if train.source is None else train.source[there]
    part = replace(
        train,
        features=train.features[there],
        target=train.target[there],
        ids=train.ids[there],
        clean=train.clean[there],
        source=source,
    )
    valuation = cell.valuator.valuate(replace(problem, data=replace(problem.data, train=part)), run)
    values, evaluations = np.full(len(train), np.nan), np.zeros(len(train), dtype=np.int64)
    values[there], evaluations[there] = _aligned(valuation, part.ids)
    if vanished >= 0:
        values[vanished] = 0.0
    return values, evaluations, valuation


def _gathered(cell: Cell, parts: Sequence[dict[str, Any]]) -> Measured:
    first = parts[0]
    values, touches, evaluations = (np.concatenate([part[name] for part in parts]) for name in ARRAYS)
    return Measured(
        cell=cell,
        values=values,
        touches=touches,
        evaluations=evaluations,
        by_burn_in=first.get("by_burn_in", np.empty((0, 0, 0))),
        epsilon=max(part["epsilon"] for part in parts),
        utility_evaluations=sum(part["utility_evaluations"] for part in parts),
        **{name: sum(part[name] for part in parts) for name in COSTS},
        entries=[entry for part in parts for entry in part["entries"]],
        extras={name.removeprefix(EXTRA): value for name, value in first.items() if name.startswith(EXTRA)},
    )
