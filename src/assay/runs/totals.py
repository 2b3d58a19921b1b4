"""Epsilon spent on a table over runs: a ledger for each table, charged before a release is made."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.errors import AssayError, InputError
from assay.runs.directory import RunDirectory, write_atomically
from assay.runs.lock import locked

_ROUNDING = 1e-9  # share by which a sum of floats may exceed a total
_threads = threading.Lock()  # a lock of files parts processes, not threads


@dataclass(frozen=True)
class Charge:
    """A secure release that is planned: the directory of its run, and the most that it may spend."""

    run: RunDirectory
    epsilon: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and self.epsilon >= 0 and math.isfinite(self.delta) and self.delta >= 0):
            raise ValueError(f"epsilon={self.epsilon}, delta={self.delta}: a charge is finite and not negative")


@dataclass(frozen=True)
class Spent:
    """Sums over the releases of a table (basic composition)."""

    releases: int = 0
    epsilon: float = 0.0
    delta: float = 0.0

    def plus(self, charges: Sequence[Charge]) -> Spent:
        """With further releases."""
        epsilon = math.fsum([self.epsilon, *(charge.epsilon for charge in charges)])
        return Spent(self.releases + len(charges), epsilon, self.delta + sum(charge.delta for charge in charges))


def ledger_of(data_dir: Path, table: str) -> Path:
    """The file in which the releases of a table are counted."""
    return data_dir / "tables" / f"{quote(table, safe=' ')}.jsonl"


def spent_on(data_dir: Path, table: str) -> Spent:
    """Sums of all charges for a table so far; raises AssayError for a ledger that cannot be read."""
    place = ledger_of(data_dir, table)
    try:
        lines = place.read_text().splitlines()
    except FileNotFoundError:
        return Spent()
    sums = Spent()
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            sums = sums.plus([Charge(RunDirectory(Path(entry["run"])), float(entry["epsilon"]), float(entry["delta"]))])
        except (ValueError, KeyError, TypeError) as error:
            remedy = "mend it from a copy: without it nobody knows what was spent"
            raise AssayError(f"{place}: line {number} cannot be read ({remedy})") from error
    return sums


def charge_all(
    data_dir: Path,
    table: str | None,
    charges: Sequence[Charge],
    total: float | None = None,
    say: Callable[[str], None] | None = None,
) -> None:
    """Charges releases to their table before any of them is made: all of them, or none.

    A run that was charged and has not yet finished costs nothing more, so that it may be resumed; a finished one that is to
    be made again, be it for `rerun` or for damage, is charged again. Call it for secure noise only, and not for a finished
    run that is returned. `say` gets the sum in one line, or, without a `table`, that nothing is summed (default: stderr).

    Raises InputError, with nothing written, when the sum would exceed `total`, and AssayError for a damaged ledger.
    """
    say = say or _to_stderr
    if table is None:
        if total is not None:
            raise InputError(
                "privacy.total", total, "is for a table that has a name", "privacy.table=NAME gives it one"
            )
        if not all(_is_paid(charge, None) for charge in charges):
            say("releases of this table are not summed over runs (privacy.table=NAME sums them)")
            _write_receipts(charges, None)
        return
    if not _due(charges, table):
        return
    _check(data_dir, table, _due(charges, table), total)  # before a folder or a lock is made
    place = ledger_of(data_dir, table)
    place.parent.mkdir(parents=True, exist_ok=True)
    waiting = f"{place}: another process charges this table; waiting for it"
    with _threads, locked(place.with_name(f".{place.name}.lock"), lambda holder: say(waiting)):
        due = _due(charges, table)  # another process may have charged the same runs
        if not due:
            return
        sums = _check(data_dir, table, due, total)
        entries = "".join(json.dumps(_entry(charge)) + "\n" for charge in due)
        write_atomically(place, (place.read_bytes() if place.exists() else b"") + entries.encode())
        _write_receipts(due, table)
    limit = "privacy.total=EPSILON sets a limit" if total is None else f"the limit is {total:g}"
    say(
        f"table {table}: epsilon {sums.epsilon:g}, delta {sums.delta:g} over {_count(sums.releases)} ({limit}; {place})"
    )


def mark_started(run: RunDirectory) -> None:
    """Notes that a run makes its release: from now on its charge is good only as long as its checkpoints are there."""
    receipt = _read_receipt(run)
    if receipt is not None:
        _write_receipt(run, {**receipt, "started": True})


def mark_finished(run: RunDirectory) -> None:
    """Takes back the receipt of a run that has made its release: to make it again is to charge again."""
    receipt = _read_receipt(run)
    if receipt is not None and receipt.get("started"):
        with contextlib.suppress(OSError):
            _receipt_of(run).unlink()


def _check(data_dir: Path, table: str, due: Sequence[Charge], total: float | None) -> Spent:
    """The sums with these releases; InputError when they exceed the total."""
    before = spent_on(data_dir, table)
    sums = before.plus(due)
    if total is not None and sums.epsilon > total * (1 + _ROUNDING):
        wanted = math.fsum(charge.epsilon for charge in due)
        limit = (
            f"table {table} has epsilon {before.epsilon:g} spent in {ledger_of(data_dir, table)}, and {_count(len(due))}"
            f" of {wanted:g} would bring it to {sums.epsilon:g}"
        )
        raise InputError("privacy.total", f"{total:g}", limit, "lower privacy.epsilon, or raise the total knowingly")
    return sums


def _due(charges: Sequence[Charge], table: str) -> list[Charge]:
    """The charges that were not yet made, each run once."""
    return list({charge.run.path: charge for charge in charges if not _is_paid(charge, table)}.values())


def _is_paid(charge: Charge, table: str | None) -> bool:
    """True for a run that was charged as much and has not finished: not begun, or begun with its checkpoints in place."""
    receipt = _read_receipt(charge.run)
    same = {"table": table, "epsilon": charge.epsilon, "delta": charge.delta}
    if receipt is None or any(receipt.get(key) != value for key, value in same.items()):
        return False
    return not receipt.get("started") or (charge.run.scratch.is_dir() and not charge.run.is_finished())


def _receipt_of(run: RunDirectory) -> Path:
    """The file that says that a run was charged; beside its directory, which a run that is made again leaves behind."""
    return run.path.with_name(f".{run.path.name}.charged")


def _read_receipt(run: RunDirectory) -> dict[str, Any] | None:
    try:
        receipt = json.loads(_receipt_of(run).read_text())
    except (OSError, ValueError):
        return None
    return receipt if isinstance(receipt, dict) else None


def _write_receipts(charges: Sequence[Charge], table: str | None) -> None:
    for charge in charges:
        _write_receipt(charge.run, {"table": table, "epsilon": charge.epsilon, "delta": charge.delta})


def _write_receipt(run: RunDirectory, receipt: dict[str, Any]) -> None:
    place = _receipt_of(run)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, json.dumps(receipt).encode())


def _entry(charge: Charge) -> dict[str, Any]:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return {"run": str(charge.run.path.absolute()), "epsilon": charge.epsilon, "delta": charge.delta, "charged": when}


def _count(releases: int) -> str:
    return f"{releases} release{'' if releases == 1 else 's'}"


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
