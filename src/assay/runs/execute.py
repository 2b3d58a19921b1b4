"""Carries a config out once: the run directory it leaves is finished, or not trusted."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import InputError
from assay.runs.attempt import Request, carry_out
from assay.runs.context import RunContext
from assay.runs.directory import DAMAGED, SUPERSEDED, RunDirectory
from assay.runs.lock import locked
from assay.runs.outcome import Outcome
from assay.runs.sources import own_sources
from assay.runs.totals import mark_finished
from assay.runs.unwritable import writing

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunResult:
    """A finished run: its directory, its metrics, whether this call did the work, and whether these sources did it."""

    directory: Path
    metrics: dict[str, float]
    fresh: bool
    same_sources: bool = True


def directory_of(config: Mapping[str, Any], root: Path, path_checksum: str | None = None) -> RunDirectory:
    """The directory of a config's run below `root`, which need not exist."""
    return Request(config, root, path_checksum).directory


def find_finished(
    config: Mapping[str, Any], root: Path, path_checksum: str | None = None, say: Say | None = None
) -> RunResult | None:
    """The finished run of this config below `root`; None when it is still to be carried out, or again (`rerun`).

    `say` gets a line where other sources of assay made the run (default: stderr).
    """
    return _finished(Request(config, root, path_checksum), say or _to_stderr)


def execute(
    config: Mapping[str, Any],
    work: Callable[[RunContext], Outcome],
    root: Path,
    *,
    path_checksum: str | None = None,
    facts: Mapping[str, Any] | None = None,
    private: bool = False,
    secure: bool = False,
    say: Say | None = None,
) -> RunResult:
    """Returns the finished run of a resolved config, carrying `work` out when there is none.

    The run lies in root/<config name>/<fingerprint>. `facts` go to status.json; noise, epsilon and delta come from the
    ledger of the outcome. `private`: the choice is private, so that a ledger must have been charged; `secure`: its noise
    cannot be drawn again, so that checkpoints survive an error. With the config's `rerun` a finished run is carried out
    again, and a damaged one always; the older run stays beside it as <fingerprint>.1 (.2, ...). `say` gets a line on that,
    on a run that other sources made, and on another process at work on the run (default: stderr).

    Raises AssayError when the directory cannot be written, for a private choice that charged nothing and for values that
    are not finite, and whatever `work` raises; each leaves a run that the next call retries.
    """
    request = Request(config, root, path_checksum, dict(facts or {}), private, secure)
    say = say or _to_stderr
    if finished := _finished(request, say):
        return finished
    directory = request.directory
    place = directory.path
    there = next(folder for folder in (place.parent, *place.parent.parents) if folder.exists())
    with writing(config, root), _without_empty(place.parent, there):
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place.with_name(f".{place.name}.lock"), lambda holder: say(f"{place}: {holder}; waiting for it")):
            if finished := _finished(request, say):  # by whom this process has waited for
                return finished
            _make_room(directory, say)
            return RunResult(place, carry_out(request, directory, work), fresh=True)


@contextmanager
def _without_empty(folder: Path, there: Path) -> Iterator[None]:
    """Removes the folders below `there` that were made for a run that left nothing."""
    try:
        yield
    except InputError:
        with contextlib.suppress(OSError):  # not empty
            for each in (folder, *folder.parents):
                if each == there:
                    break
                each.rmdir()
        raise


def _finished(request: Request, say: Say) -> RunResult | None:
    directory = request.directory
    if request.config.get("rerun") or not directory.is_finished() or directory.damaged_files():
        return None
    mark_finished(directory)  # a kill between the last rename and the cleaning leaves both behind
    directory.drop_scratch()
    same = directory.status().get("sources") == own_sources()
    if not same:
        say(f"{directory.path}: made by other sources of assay (rerun=true runs it again)")
    return RunResult(directory.path, directory.metrics(), fresh=False, same_sources=same)


def _make_room(directory: RunDirectory, say: Say) -> None:
    """Sets a finished run aside that is to be carried out again."""
    damaged = directory.damaged_files()
    if not directory.is_finished() and not damaged:
        return
    aside = directory.set_aside(DAMAGED if damaged else SUPERSEDED)
    reason = f"damaged ({', '.join(damaged)})" if damaged else "runs again"
    say(f"{directory.path}: {reason}; the older run is {aside}")


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
