"""Carries a config out once: the run directory it leaves is finished, or not trusted."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.errors import AssayError, InputError
from assay.runs import provenance
from assay.runs.context import RunContext
from assay.runs.cost import Cost, Meter
from assay.runs.directory import LOG, RunDirectory, write_atomically
from assay.runs.fingerprint import fingerprint
from assay.runs.ledger import facts_of
from assay.runs.lock import locked
from assay.runs.log import run_log
from assay.runs.outcome import Outcome
from assay.runs.parts import Parts
from assay.runs.progress import Progress
from assay.runs.results import check_finite, write_outcome
from assay.runs.streams import Streams

_COST_FILE = "cost.json"
_COST_SECONDS = 2.0  # how often a run notes what it has cost so far
_FULL = {errno.ENOSPC, errno.EDQUOT}
_UNWRITABLE = {*_FULL, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EIO}

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """A finished run: its directory, its metrics, and whether this call did the work."""

    directory: Path
    metrics: dict[str, float]
    fresh: bool


def find_finished(config: Mapping[str, Any], root: Path, path_checksum: str | None = None) -> RunResult | None:
    """The finished run of this config below `root`; None when it is still to be carried out."""
    directory = RunDirectory(_place(config, root, path_checksum))
    if not directory.is_finished():
        return None
    directory.drop_scratch()  # a kill between the last rename and the cleaning leaves it behind
    return RunResult(directory.path, directory.metrics(), fresh=False)


def execute(
    config: Mapping[str, Any],
    work: Callable[[RunContext], Outcome],
    root: Path,
    *,
    path_checksum: str | None = None,
    facts: Mapping[str, Any] | None = None,
    private: bool = False,
    secure: bool = False,
    say: Callable[[str], None] | None = None,
) -> RunResult:
    """Returns the finished run of a resolved config, carrying `work` out when there is none.

    The run lies in root/<config name>/<fingerprint>. `facts` go to status.json; noise, epsilon and delta come from the
    ledger of the outcome. `private`: the choice is private, so that a ledger must have been charged; `secure`: its noise
    cannot be drawn again, so that checkpoints survive an error. `say` gets the line that names another process at work on
    the run (default: stderr). Raises AssayError when the directory cannot be written, for a private choice that charged
    nothing and for values that are not finite, and whatever `work` raises; each leaves a run that the next call retries.
    """
    if finished := find_finished(config, root, path_checksum):
        return finished
    place = _place(config, root, path_checksum)
    say = say or (lambda line: print(line, file=sys.stderr, flush=True))
    with _writing(config, root):
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place.with_name(f".{place.name}.lock"), lambda holder: say(f"{place}: {holder}; waiting for it")):
            finished = find_finished(config, root, path_checksum)  # by whom this process has waited for
            return finished or _carry_out(config, work, RunDirectory(place), dict(facts or {}), private, secure)


def _place(config: Mapping[str, Any], root: Path, path_checksum: str | None) -> Path:
    return root / str(config["name"]) / fingerprint(config, path_checksum)


def _carry_out(
    config: Mapping[str, Any],
    work: Callable[[RunContext], Outcome],
    directory: RunDirectory,
    facts: dict[str, Any],
    private: bool,
    secure: bool,
) -> RunResult:
    meter, started = Meter(), _now()
    opening = {"state": "running", "fingerprint": directory.path.name, "name": config["name"], "started": started}
    directory.open({**opening, "pid": os.getpid(), "host": platform.node()})
    directory.write_config(config)
    carried = _carried(directory)
    progress = Progress(bool(config.get("progress", True)), _Heartbeat(directory, meter, carried))
    parts = Parts(directory.scratch, int(config.get("workers", 1)))
    context = RunContext(Streams(int(config.get("seed", 0))), parts, progress)
    facts = {"versions": provenance.versions(), "commit": provenance.commit(), **facts}
    with run_log(directory.path / LOG):
        try:
            outcome = work(context)
            charged = _facts_of_outcome(outcome, config, private)
            costs = carried.plus(meter.cost()).rounded()
            metrics = write_outcome(directory.path, outcome, costs, secure=charged["noise"] == "secure")
            directory.write_status({**opening, "state": "finished", "finished": _now(), **costs, **facts, **charged})
        except BaseException as error:
            error.add_note(f"traceback in {directory.path / LOG}")
            cost = carried.plus(meter.cost()).rounded()
            _close_unfinished(directory, {**opening, **cost, **facts}, error, keep=secure)
            raise
        finally:
            progress.close()
    directory.drop_scratch()
    return RunResult(directory.path, metrics, fresh=True)


def _facts_of_outcome(outcome: Outcome, config: Mapping[str, Any], private: bool) -> dict[str, Any]:
    """The facts of a run's ledger, its statement and its own; raises AssayError where they do not go together."""
    if private and not outcome.ledger:
        limit = "no ledger was charged, so that nothing protects the rows"
        remedy = "use privacy=none, or a method that accounts for its privacy"
        raise InputError("privacy", (config.get("privacy") or {}).get("name", "private"), limit, remedy)
    check_finite(outcome, config)
    facts = {**outcome.facts, **facts_of(outcome.ledger)}
    if outcome.released:
        facts["released"] = {table: list(columns) for table, columns in outcome.released.items()}
    return facts if not outcome.statement else {**facts, "statement": list(outcome.statement)}


def _close_unfinished(directory: RunDirectory, status: dict[str, Any], error: BaseException, *, keep: bool) -> None:
    """Says in log and status why the run stopped; checkpoints stay when the fault was not the work's own, or to `keep`."""
    stopped = isinstance(error, KeyboardInterrupt | SystemExit)
    _logger.error("run stopped by %s", type(error).__name__, exc_info=error)
    said = {"state": "interrupted" if stopped else "failed", "finished": _now(), "error": _one_line(error)}
    with contextlib.suppress(OSError):  # the disk that stopped the run may refuse this line too
        directory.write_status({**status, **said})
    # A checkpoint may be what the work fails on, unless it holds releases that secure noise cannot make again: to make
    # others instead would spend the budget a second time.
    if not stopped and not isinstance(error, OSError) and not keep:
        directory.drop_scratch()


@contextmanager
def _writing(config: Mapping[str, Any], root: Path) -> Iterator[None]:
    """Turns a full disk or an unwritable folder into one line."""
    try:
        yield
    except OSError as error:
        file = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else root
        # a file that the work itself could not read is not a matter of where outputs go
        ours = file.absolute().is_relative_to(root.absolute()) or root.absolute().is_relative_to(file.absolute())
        missing = error.errno == errno.ENOENT and root.absolute().is_relative_to(file.absolute())
        if not (missing or error.errno in _FULL or (ours and error.errno in _UNWRITABLE)):
            raise
        outputs = config.get("paths", {}).get("outputs", root)
        remedy = "make room, or write elsewhere" if error.errno in _FULL else "write elsewhere"
        raise InputError(
            "paths.outputs", outputs, f"cannot write {file}: {error.strerror}", f"{remedy}: paths.outputs=FOLDER"
        ) from error


class _Heartbeat:
    """Notes the cost so far beside the checkpoints, so that a resumed run counts what came before the kill."""

    def __init__(self, directory: RunDirectory, meter: Meter, carried: Cost) -> None:
        self._file, self._meter, self._carried = directory.scratch / _COST_FILE, meter, carried
        self._last, self._process = time.monotonic(), os.getpid()

    def __call__(self) -> None:
        if time.monotonic() - self._last < _COST_SECONDS or os.getpid() != self._process:
            return
        self._last = time.monotonic()
        cost = self._carried.plus(self._meter.cost()).rounded()
        write_atomically(self._file, json.dumps(cost).encode())


def _carried(directory: RunDirectory) -> Cost:
    try:
        return Cost(**json.loads((directory.scratch / _COST_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return Cost()


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, AssayError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
