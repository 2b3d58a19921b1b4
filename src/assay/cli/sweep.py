"""A sweep: every cell is checked before the first is carried out, finished ones come back, and one table ends it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config.cells import Cell, cells_of
from assay.config.locations import conf_root
from assay.errors import AssayError

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from omegaconf import DictConfig

    from assay.runs.directory import RunDirectory

_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


class JobFailed(Exception):
    """A job of a launcher that failed; its text is the line to print, and it carries the exit status."""

    def __init__(self, line: str, status: int) -> None:
        super().__init__(line, status)
        self.line, self.status = line, status


@dataclass
class Sweep:
    """The cells of a sweep, the runs of those that are finished, and the lines on those that failed."""

    cells: Sequence[Cell]
    runs: dict[int, RunDirectory] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    status: int = 0

    def find_finished(self) -> int:
        """Notes the cells that are finished already, one line for all that other sources made; returns their number."""
        from assay.experiment import find

        older: list[str] = []
        for place, cell in enumerate(self.cells):
            if (run := find(cell.choices, older.append)) is not None:
                self.finished(place, run)
        if older:
            of = f"{len(older)} finished runs were" if len(older) > 1 else "a finished run was"
            self.say(f"{of} made by other sources of assay (rerun=true runs again)")
        return len(self.runs)

    def finished(self, place: int, run: RunDirectory) -> None:
        """Notes a finished run and prints its directory."""
        self.runs[place] = run
        print(f"run: {run.path}", flush=True)

    def failed(self, place: int, line: str, status: int) -> None:
        """Notes a cell that failed and prints its line."""
        self.failures[place] = line
        self.status = max(self.status, status)
        self.complain(place, line)

    def complain(self, place: int, line: str) -> None:
        """Prints what is wrong with a cell."""
        print(line if len(self.cells) == 1 else f"{self.named(place)}: {line}", file=sys.stderr, flush=True)

    def named(self, place: int) -> str:
        """A cell by its number and its swept keys."""
        return f"[{place + 1}/{len(self.cells)}] {self.cells[place].label}"

    @property
    def missing(self) -> list[int]:
        """Places of the cells that have neither finished nor failed."""
        return [place for place in range(len(self.cells)) if place not in self.runs and place not in self.failures]

    def say(self, line: str) -> None:
        """Prints a line of progress, unless it is not wanted or the sweep is one run."""
        if len(self.cells) > 1 and self.cells[0].choices.config["progress"]:
            print(line, file=sys.stderr, flush=True)


def sweep(overrides: Sequence[str]) -> int:
    """Carries out every cell of a sweep and returns the exit status; finished cells cost next to nothing.

    Raises AssayError, before anything is written, for a cell that cannot be composed or whose choices are wrong.
    """
    from assay.experiment import check_machine

    config, launcher = _multirun(overrides)
    params = config.hydra.sweeper.get("params") or {}
    cells = cells_of([*(f"{key}={value}" for key, value in params.items()), *overrides])
    swept = Sweep(cells)
    start, before = time.monotonic(), swept.find_finished()
    for place in swept.missing:
        check_machine(cells[place].choices)
    _charge(cells)
    keys = " and ".join(cells[0].swept) or "nothing"
    swept.say(f"sweep over {keys}: {len(cells)} runs, {before} finished before, {len(cells) - before} to do")
    if swept.missing and launcher is not None:
        _launch(swept, launcher)
        _remove_empty(Path(str(config.hydra.sweep.dir)))
    else:
        _carry_out(swept)
    for place in range(len(cells)):
        if place in swept.runs:
            _serve(swept, place)
    from assay.cli.summary import show_sweep

    show_sweep([cell.swept for cell in cells], swept.runs)
    done = f"{len(swept.runs) - before} done, {before} finished before, {len(swept.failures)} failed"
    swept.say(f"{len(cells)} runs in {time.monotonic() - start:.1f} s: {done}")
    return swept.status


def _charge(cells: Sequence[Cell]) -> None:
    """Charges every secure release of a sweep before its first run."""
    from assay.experiment import charge, secure

    if any(secure(cell.choices) for cell in cells):
        charge([cell.choices for cell in cells])


def _carry_out(swept: Sweep) -> None:
    """Carries the missing cells out in this process, one after the other."""
    from assay.cli import failure_line
    from assay.experiment import carry
    from assay.runs.unwritable import UnwritableError

    todo, start = swept.missing, time.monotonic()
    for done, place in enumerate(todo):
        left = ""
        if done:
            left = f", about {_duration((time.monotonic() - start) / done * (len(todo) - done))} left"
        swept.say(f"{swept.named(place)}{left}")
        try:
            swept.finished(place, carry(swept.cells[place].choices))
        except Exception as error:
            if os.environ.get("ASSAY_TRACEBACK") == "1":
                raise
            swept.failed(place, failure_line(error), error.status if isinstance(error, AssayError) else 1)
            if isinstance(error, UnwritableError):  # and so would all others be
                return


def _launch(swept: Sweep, launcher: Any) -> None:
    """Hands the missing cells to hydra's launcher, and looks for what became of each."""
    from assay.experiment import directory, find

    todo = swept.missing
    swept.say(f"{type(launcher).__name__} starts {len(todo)} runs")
    answers: Sequence[JobReturn] = launcher.launch([swept.cells[place].overrides for place in todo], initial_job_idx=0)
    for place, answer in zip(todo, answers, strict=True):
        choices = swept.cells[place].choices
        run = find(choices, lambda line: None)
        if run is not None:
            swept.finished(place, run)
            continue
        error = answer._return_value
        if isinstance(error, JobFailed):
            swept.failed(place, error.line, error.status)
        else:
            said = str(error) if isinstance(error, Exception) else directory(choices).status().get("error")
            swept.failed(place, f"stopped: {' '.join(str(said).split())} (the same command goes on)", 1)


class Job:
    """The work of one cell in a process of a launcher's; ends with the process that started the sweep."""

    def __init__(self) -> None:
        self.parent = os.getpid()

    def __call__(self, composed: DictConfig) -> None:
        """Checks the composed config and carries it out; raises JobFailed with the line that says why not."""
        from hydra.core.hydra_config import HydraConfig

        from assay.cli import failure_line
        from assay.config.compose import checked, register_resolvers
        from assay.config.explain import explained
        from assay.experiment import carry
        from assay.processes import end_with

        end_with(self.parent)
        register_resolvers()
        try:
            with explained([]):
                choices = checked(composed, HydraConfig.get())
            carry(choices)
        except Exception as error:
            raise JobFailed(failure_line(error), error.status if isinstance(error, AssayError) else 1) from error


def _serve(swept: Sweep, place: int) -> None:
    """Sends a finished run to its logger and builds its page, where these are wanted and not there."""
    from assay.experiment import publish, report

    choices, run = swept.cells[place].choices, swept.runs[place]
    try:
        publish(run, choices)
        if choices.config["report"]:
            print(f"report: {report(choices, run)}", flush=True)
    except AssayError as error:
        swept.status = max(swept.status, error.status)
        swept.complain(place, str(error))


def _multirun(overrides: Sequence[str]) -> tuple[DictConfig, Any]:
    """Hydra's config of a sweep, and its launcher: None for hydra's own, which is this process."""
    import hydra
    from hydra._internal.callbacks import Callbacks
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.plugins import Plugins
    from hydra.types import HydraContext, RunMode

    from assay.config.explain import explained

    with hydra.initialize_config_dir(config_dir=str(conf_root()), job_name="assay", version_base="1.3"):
        inner = GlobalHydra.instance().hydra
        assert inner is not None
        with explained(overrides):
            config = inner.compose_config("config", list(overrides), RunMode.MULTIRUN, with_log_configuration=False)
            if config.hydra.sweeper._target_ != _SWEEPER:
                raise AssayError("hydra/sweeper: a sweep is hydra's basic one (write the values: key=1,2,3)")
            if config.hydra.launcher._target_ == _LAUNCHER:
                launcher = None
            else:
                context = HydraContext(config_loader=inner.config_loader, callbacks=Callbacks(config))
                launcher = Plugins.instance().instantiate_launcher(
                    hydra_context=context, task_function=Job(), config=config
                )
    return config, launcher


def _remove_empty(folder: Path) -> None:
    """Removes the folder that hydra makes for every sweep, unless the launcher left something in it."""
    for place in sorted([folder, *folder.rglob("*")], reverse=True):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
