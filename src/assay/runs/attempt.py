"""One attempt at a run: opens its directory, does the work, and writes what became of it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.errors import AssayError, DivergedError, InputError, StoppedError
from assay.runs import provenance
from assay.runs.context import RunContext
from assay.runs.cost import Cost, Meter
from assay.runs.directory import CONFIG, FINISHED, LOG, RunDirectory, write_atomically
from assay.runs.fingerprint import fingerprint
from assay.runs.ledger import facts_of
from assay.runs.log import run_log
from assay.runs.outcome import Outcome
from assay.runs.parts import Parts
from assay.runs.progress import Progress
from assay.runs.results import check_finite, write_outcome
from assay.runs.sources import own_sources, sources_of_config
from assay.runs.streams import Streams
from assay.runs.totals import mark_finished, mark_started
from assay.runs.unwritable import UnwritableError

_COST_FILE = "cost.json"
_COST_SECONDS = 2.0  # how often a run notes what it has cost so far

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """A run that is asked for: its config, the folder of all runs, and the nature of its privacy (see `execute`)."""

    config: Mapping[str, Any]
    root: Path
    path_checksum: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    private: bool = False
    secure: bool = False

    @property
    def directory(self) -> RunDirectory:
        """Its directory, which need not exist."""
        code = sources_of_config(self.config)
        return RunDirectory(self.root / str(self.config["name"]) / fingerprint(self.config, self.path_checksum, code))


def carry_out(request: Request, directory: RunDirectory, work: Callable[[RunContext], Outcome]) -> dict[str, float]:
    """Does the work and returns the metrics of the finished run; whatever goes wrong leaves a run to be tried again."""
    config, meter = request.config, Meter()
    opening = {"state": "running", "fingerprint": directory.path.name, "name": config["name"], "started": _now()}
    facts = {**_facts_of_software(config), **request.facts}
    if not request.secure and directory.status().get("sources") not in (None, facts["sources"]):
        directory.drop_scratch()  # what other sources computed does not go with what these compute
    directory.open({**opening, "pid": os.getpid(), "host": platform.node(), "sources": facts["sources"]})
    mark_started(directory)
    directory.write_config(config)
    carried = _carried(directory)
    progress = Progress(bool(config.get("progress", True)), _Heartbeat(directory, meter, carried))
    parts = Parts(directory.scratch, int(config.get("workers", 1)), mends=not request.secure)
    context = RunContext(Streams(int(config.get("seed", 0))), parts, progress)
    with run_log(directory.path / LOG):
        try:
            outcome = _answer(work, context, request, directory)
            charged = _facts_of_outcome(outcome, config, request.private)
            _check_there(directory, config)
            costs = carried.plus(meter.cost()).rounded()
            metrics = write_outcome(directory.path, outcome, costs, secure=charged["noise"] == "secure")
            closing = {"state": FINISHED, "finished": _now(), **costs, **facts, **charged, "files": directory.digests()}
            directory.write_status({**opening, **closing})
        except _Refused as refusal:
            raise refusal.error from refusal.error.__cause__
        except BaseException as error:
            error.add_note(f"traceback in {directory.path / LOG}")
            cost = carried.plus(meter.cost()).rounded()
            _close_unfinished(directory, {**opening, **cost, **facts}, error, keep=request.secure)
            raise
        finally:
            progress.close()
    mark_finished(directory)
    directory.drop_scratch()
    return metrics


def _check_there(directory: RunDirectory, config: Mapping[str, Any]) -> None:
    """Raises UnwritableError for a run whose folder was deleted on the way, and made again by its checkpoints."""
    if not (directory.path / CONFIG).is_file():
        outputs = config.get("paths", {}).get("outputs", directory.path)
        limit = f"cannot write {directory.path}: No such file or directory, it was deleted on the way"
        raise UnwritableError("paths.outputs", outputs, limit, "the same command runs it again")


class _Refused(Exception):
    """An InputError of work that has saved nothing: it was asked wrongly, and leaves no trace."""

    def __init__(self, error: InputError) -> None:
        super().__init__(error)
        self.error = error


def _answer(
    work: Callable[[RunContext], Outcome], context: RunContext, request: Request, directory: RunDirectory
) -> Outcome:
    try:
        return work(context)
    except (UnwritableError, DivergedError):
        raise
    except InputError as error:
        saved = any(file.is_file() and file.name != _COST_FILE for file in directory.scratch.rglob("*"))
        if saved or request.secure:
            raise
        directory.remove()
        raise _Refused(error) from error


def _facts_of_software(config: Mapping[str, Any]) -> dict[str, Any]:
    """Versions, commit and hashes of sources: assay's own, and those of the user's modules if there are any."""
    facts = {"versions": provenance.versions(), "commit": provenance.commit(), "sources": own_sources()}
    code = sources_of_config(config)
    return facts if code is None else {**facts, "code": code}


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
    stopped = isinstance(error, KeyboardInterrupt | SystemExit | StoppedError)
    _logger.error("run stopped by %s", type(error).__name__, exc_info=error)
    said = {"state": "interrupted" if stopped else "failed", "finished": _now(), "error": _one_line(error)}
    with contextlib.suppress(OSError):  # the disk that stopped the run may refuse this line too
        directory.write_status({**status, **said})
    # A checkpoint may be what the work fails on, unless it holds releases that secure noise cannot make again: to make
    # others instead would spend the budget a second time.
    if not stopped and not isinstance(error, OSError) and not keep:
        directory.drop_scratch()


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
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "ended by a signal; the same command goes on"
    text = " ".join(str(error).split())
    return text if isinstance(error, AssayError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
