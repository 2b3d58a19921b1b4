"""The way from a table to a publication, under attack: everything that is published of neighbouring tables is compared."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assay.data import CHANGES, Change
from assay.data.neighbours import NothingToChangeError
from assay.errors import AssayError
from assay.privacy.audit import audit_scores, most_proven
from assay.privacy.relations import Relation
from assay.privacy.releases import Releases
from assay.runs import published_files
from assay.tasks.value import Value, columns_of
from assay.valuation.values import COLUMNS, NOISED

if TYPE_CHECKING:
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class Publication:
    """The published files of one table: what is public in them as bytes, and the numbers computed from noised releases."""

    public: Mapping[str, bytes]
    noised: pd.DataFrame


@dataclass(frozen=True)
class PipelineAudit:
    """Publishes a table and its neighbours by the whole way from the cells on, with the same noise.

    `rows` train rows are changed, each in every way of `assay.data.CHANGES`; a changed record is at stake, present in both
    tables. Bytes that are no noised number must be equal, and, where a row's release depends on that row alone, so must the
    noised numbers of all other rows.
    `releases` of the first row, as it is and changed, bound epsilon from below by the number that is published of it.
    """

    problem: Problem
    valuator: Valuator
    run: Run
    rows: int
    releases: int

    def comparisons(self) -> pd.DataFrame:
        """A line for each changed row and change: files that differ where they must not, and other rows that differ."""
        data = self.problem.data
        generator = self.run.streams.generator("audited rows")
        audited = generator.choice(data.train.ids, min(self.rows, len(data.train)), replace=False)
        first = self._published(self.problem, "as it is")
        lines = []
        for row in map(int, audited):
            for kind in CHANGES:
                if (compared := self._compared(first, Change(kind, row))) is not None:
                    lines.append({"id": row, "change": kind, **compared})
        return pd.DataFrame(lines)

    def bounds(self, row: int) -> list[dict[str, Any]]:
        """A line for each change of one row: the epsilon that repeated publications prove, and its bound.

        None for a valuator that repeats no estimate.
        """
        if not hasattr(self.valuator, "replicates"):
            return []
        privacy = self.problem.privacy
        epsilon, delta = bound_of_a_changed_record(privacy)
        whole = self._numbers(self.problem, row, "as it is")
        lines = []
        for kind in ("row", "label"):
            try:
                changed = self._numbers(self._changed(Change(kind, row)), row, kind)
            except AssayError:
                continue  # the comparison shows it
            sides = (whole, changed) if whole.mean() > changed.mean() else (changed, whole)
            scores = asdict(audit_scores(*sides, delta=delta))
            proven = scores.pop("epsilon")
            excess = proven - epsilon
            most = most_proven(self.releases, delta)
            lines.append(
                {"attack": f"pipeline: {kind}", **scores}
                | {"proven_epsilon": proven, "most_proven": most, "bound": epsilon, "excess": excess}
            )
        return lines

    def _compared(self, first: Publication, change: Change) -> dict[str, Any] | None:
        """The differences from the first publication; None where the row has nothing to change in this way.

        A neighbour that fails where the table does not shows as well.
        """
        try:
            other = self._published(self._changed(change), f"{change.kind} of {change.row}")
        except NothingToChangeError:
            return None
        except AssayError as error:
            return {"files": f"none, for {error}", "other_rows": 0}
        return self._differences(first, other, change.row)

    def _changed(self, change: Change) -> Problem:
        assert self.problem.neighbours is not None
        return replace(self.problem, data=self.problem.neighbours(change=change))

    def _published(self, problem: Problem, world: str) -> Publication:
        outcome = Value().answer(problem, self.valuator, self._apart(world))
        table = outcome.tables["values"]
        outcome = replace(outcome, released=outcome.released or {"values": columns_of(table, COLUMNS)})
        noised = outcome.noised or {"values": columns_of(table, NOISED)}
        public, numbers = dict(published_files(outcome)), []
        for name, columns in noised.items():
            table = pd.read_csv(io.BytesIO(public[f"{name}.csv"]), float_precision="round_trip")
            numbers.append(table[list(columns)].set_index(outcome.tables[name]["id"].to_numpy()))
            public[f"{name}.csv"] = table.drop(columns=list(columns)).to_csv(index=False).encode()
        return Publication(public, pd.concat(numbers))

    def _numbers(self, problem: Problem, row: int, world: str) -> Any:
        """The published number of a row in `releases` publications [releases]."""
        place = int(np.flatnonzero(problem.data.train.ids == row)[0])
        valuator: Any = self.valuator
        estimates = valuator.replicates(problem, self._apart(f"many {world}"), self.releases, purpose=f"audit {world}")
        return estimates.values[:, place]

    def _differences(self, first: Publication, other: Publication, row: int) -> dict[str, Any]:
        names = sorted({*first.public, *other.public})
        differing = [name for name in names if first.public.get(name) != other.public.get(name)]
        others = 0
        if first.noised.index.equals(other.noised.index):
            same = (first.noised == other.noised) | (first.noised.isna() & other.noised.isna())
            others = int((~same.all(axis=1))[same.index != row].sum())
        disjoint = disjoint_releases(self.problem.privacy)
        return {"files": ", ".join(differing), "other_rows": others if disjoint else 0}

    def _apart(self, world: str) -> Run:
        return replace(self.run, parts=self.run.parts.within(f"audit of {world}"))


def disjoint_releases(privacy: Any) -> bool:
    """True where the release of a row depends on that row alone."""
    return privacy.releases in (Releases.ROW_NUMBER, Releases.ROW_NUMBERS) and getattr(privacy, "path", None) is None


def bound_of_a_changed_record(privacy: Any) -> tuple[float, float]:
    """(epsilon, delta) at which a record changed into any other is protected: under zero-out it changes twice."""
    budget = privacy.budget
    delta = privacy.guaranteed_delta
    if budget.relation is Relation.REPLACE_ONE:
        return budget.epsilon, delta
    return 2 * budget.epsilon, min(1.0, (1 + float(np.exp(budget.epsilon))) * delta)


def pipeline_metrics(comparisons: pd.DataFrame, bounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Numbers of neighbours, of those that differ where they must not, and each bound's excess."""
    metrics = {
        "pipeline/neighbours": float(len(comparisons)),
        "pipeline/public_bytes_differ": float((comparisons["files"] != "").sum()),
        "pipeline/other_rows_differ": float((comparisons["other_rows"] > 0).sum()),
    }
    for line in bounds:
        where = "pipeline/" + str(line["attack"]).removeprefix("pipeline: ")
        metrics |= {f"{where}/{key}": float(line[key]) for key in ("proven_epsilon", "bound", "excess")}
    return metrics
