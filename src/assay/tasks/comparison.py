"""Contenders compared: what is measured of each, and at which numbers of evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.config.contenders import Contender
from assay.privacy.releases import Releases
from assay.privacy.rows.none import NoPrivacy

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers
    from assay.valuation.gradient.estimates import Subtables
    from assay.valuation.valuator import Valuator

COSTS = ("seconds", "cpu_seconds")
RESEARCH = "for research: every estimate spends the budget, there are many, and non-private ones stand beside them"


@dataclass(frozen=True, eq=False)
class Cell:
    """One contender at one number of evaluations; cells of one purpose draw the same permutations and noise.

    `burn_ins` are further burn-ins, whose values come from the same rounds; `subtables` gives each replicate its own table.
    """

    purpose: str
    contender: Contender
    evaluations: int
    replicates: int
    burn_ins: tuple[float, ...] = ()
    subtables: Subtables | None = None

    @property
    def name(self) -> str:
        """The cell among all cells of a run."""
        return f"{self.purpose}-{self.contender.name}"

    @property
    def key(self) -> dict[str, Any]:
        """The columns of a table that name the cell."""
        return {"contender": self.contender.name, "evaluations": self.evaluations}

    @property
    def valuator(self) -> Any:
        """The contender's valuator at the cell's number of evaluations."""
        return with_evaluations(self.contender.valuation, self.evaluations)


@dataclass(frozen=True, eq=False)
class Measured:
    """A cell's values [R, n], in the order of the train split or of its sources, and what they took.

    `touches` [R, n] counts the private releases of each, `evaluations` [R, n] the marginal contributions; `by_burn_in`
    [B, R, n] are the values under the cell's further burn-ins. `epsilon` is that of one replicate (0 without privacy),
    `entries` the ledger's, `extras` further arrays of a valuator by name.
    """

    cell: Cell
    values: Floats
    touches: Integers
    evaluations: Integers
    by_burn_in: Floats
    epsilon: float
    utility_evaluations: int
    seconds: float
    cpu_seconds: float
    entries: Sequence[Mapping[str, Any]]
    extras: Mapping[str, Any]

    @property
    def shown_epsilon(self) -> float:
        """Epsilon of one replicate as tables show it: infinite without privacy."""
        return self.epsilon if self.cell.contender.privacy.private else float("inf")


def has_evaluations(valuator: Any) -> bool:
    """True where a valuator has a number of evaluations that can be changed."""
    return is_dataclass(valuator) and any(field.name == "evaluations" for field in fields(valuator))


def with_evaluations(valuator: Any, count: int) -> Any:
    """The same valuator for another number of evaluations; itself where it has none."""
    return replace(valuator, evaluations=count) if has_evaluations(valuator) else valuator


def numbers_of(contender: Contender, evaluations: Sequence[int]) -> list[int]:
    """The numbers of evaluations at which a contender is measured.

    A valuator without such a number, and a mechanism that releases one number of each row whatever the evaluations, are
    measured once, as 1; a mechanism whose released vectors are replayed along public paths, at the largest number.
    """
    if not has_evaluations(contender.valuation):
        return [1]
    if contender.privacy.releases is Releases.ROW_VECTOR:
        return [max(evaluations)]
    return [1] if contender.privacy.one_release else list(evaluations)


def swept_cells(
    contenders: Sequence[Contender], evaluations: Sequence[int], replicates: int, burn_ins: Sequence[float] = ()
) -> list[Cell]:
    """Every contender at each of its numbers of evaluations, under every burn-in if its mechanism has one."""
    return [
        Cell(
            f"evaluations-{count}",
            contender,
            count,
            replicates,
            tuple(burn_ins) if contender.privacy.burns_in else (),
        )
        for contender in contenders
        for count in numbers_of(contender, evaluations)
    ]


def reference_cell(valuator: Valuator, evaluations: int, replicates: int) -> Cell:
    """Values by the run's own valuator without privacy, from `evaluations` in all, spread over the replicates."""
    return Cell("reference", without_privacy(valuator), max(1, -(-evaluations // replicates)), replicates)


def without_privacy(valuator: Valuator) -> Contender:
    """The valuator that others are compared with."""
    return Contender("non_private", valuator, NoPrivacy())


def cost_rows(results: Sequence[Measured]) -> list[dict[str, Any]]:
    """Seconds and processor seconds of each cell, in columns."""
    return [result.cell.key | {name: getattr(result, name) for name in COSTS} for result in results]


def spending(results: Sequence[Measured]) -> tuple[list[Mapping[str, Any]], float]:
    """The ledgers of all cells, one after the other, and the epsilon of the estimate that spent most."""
    spent = max((result.epsilon for result in results), default=0.0)
    return [entry for result in results for entry in result.entries], spent
