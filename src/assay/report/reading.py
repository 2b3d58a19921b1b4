"""Reads finished run directories; nothing else is ever reported on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import AssayError
from assay.runs.directory import (
    CONFIG,
    FIGURES,
    FINISHED,
    HEADLINE,
    METRICS,
    STATUS,
    SUPERSEDED,
    RunDirectory,
    finished_runs,
    unreadable_runs,
)
from assay.runs.outcome import Headline

if TYPE_CHECKING:
    import pandas as pd

MISSING = object()  # what `setting` answers for a key that the config does not have


@dataclass(frozen=True)
class RunRecord:
    """A finished run, from its directory; tables are read when asked for."""

    directory: Path
    config: Mapping[str, Any]
    status: Mapping[str, Any]
    metrics: Mapping[str, float]
    tables: tuple[str, ...] = ()
    figures: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The experiment's name."""
        return str(self.config.get("name", self.directory.parent.name))

    @property
    def fingerprint(self) -> str:
        """The hash of the config, which names the directory."""
        return str(self.status.get("fingerprint", self.directory.name))

    @property
    def seed(self) -> int:
        """The seed that every random stream was spawned from."""
        return int(self.config.get("seed", 0))

    @property
    def scale(self) -> str | None:
        """The scale; None for a config without one."""
        scale = self.config.get("scale")
        return None if scale is None else str(scale)

    @property
    def sources(self) -> str:
        """Hash of the sources of assay that made the run; `unknown` where it was not recorded."""
        return str(self.status.get("sources", "unknown"))

    @property
    def headline(self) -> Headline:
        """The tables and sentences that the run shows first; AssayError when its file cannot be read."""
        try:
            return RunDirectory(self.directory).headline()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AssayError(f"{self.directory}: {HEADLINE} cannot be read ({_first_line(error)})") from error

    def setting(self, key: str) -> Any:
        """Value of a dotted key of the config; MISSING when there is none."""
        return setting_of(self.config, key)

    def table(self, name: str) -> pd.DataFrame | None:
        """One table of the run; None when the task left none of that name."""
        if name not in self.tables:
            return None
        try:
            return RunDirectory(self.directory).table(name)
        except (OSError, ValueError) as error:
            raise AssayError(f"{self.directory}: {name}.parquet cannot be read ({_first_line(error)})") from error


def setting_of(config: Mapping[str, Any], key: str) -> Any:
    """Value of a dotted key of a config; MISSING when there is none."""
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


class DamagedRunError(AssayError):
    """A finished run of which files are missing or changed."""


@dataclass(frozen=True)
class Gathered:
    """Records of finished runs, and a line for each run that was left out."""

    records: tuple[RunRecord, ...]
    left_out: tuple[str, ...] = ()


def read_run(directory: Path) -> RunRecord:
    """The record of one finished run; raises AssayError for a folder that is no run or not finished.

    Raises DamagedRunError where a file of the run is not as the run left it.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise AssayError(f"{directory}: no such folder (run directories lie below outputs/runs)")
    run = RunDirectory(directory)
    status = run.status()
    if not status and ((directory / STATUS).exists() or (directory / METRICS).exists()):
        raise DamagedRunError(f"{directory}: damaged ({STATUS}); repeat its command to run it again")
    if not status:
        raise AssayError(f"{directory}: not a run directory, it holds no {STATUS}")
    if status.get("state") not in (FINISHED, SUPERSEDED):
        state = status.get("state", "unknown")
        raise AssayError(f"{directory}: the run is {state}, not finished (repeat its command to finish it)")
    if damaged := run.damaged_files():
        raise DamagedRunError(f"{directory}: damaged ({', '.join(damaged)}); repeat its command to run it again")
    return RunRecord(
        directory=directory,
        config=_config(directory),
        status=status,
        metrics=_metrics(run),
        tables=tuple(sorted(file.stem for file in directory.glob("*.parquet"))),
        figures=tuple(sorted((directory / FIGURES).glob("*.png"))),
    )


def find_runs(folder: Path) -> list[RunRecord]:
    """Records of the newest finished runs at or below a folder, by path; a line on stderr for each damaged one."""
    gathered = gather([*finished_runs(Path(folder)), *unreadable_runs(Path(folder))])
    for line in gathered.left_out:
        print(f"left out: {line}", file=sys.stderr)
    return list(gathered.records)


def gather(directories: Iterable[Path]) -> Gathered:
    """Records of run directories and of all newest runs below other folders, each once, without the damaged ones.

    Raises AssayError for a folder without a finished run, and for a run directory that is not finished.
    """
    records: dict[Path, RunRecord] = {}
    left_out: dict[Path, str] = {}
    for directory in map(Path, directories):
        places = [directory]
        if directory.is_dir() and not (directory / STATUS).exists() and not (directory / METRICS).exists():
            places = [*finished_runs(directory), *unreadable_runs(directory)]
            if not places:
                raise AssayError(f"{directory}: no finished run here or below (make one: assay run)")
        for place in places:
            try:
                records.setdefault(place.resolve(), read_run(place))
            except DamagedRunError as error:
                left_out[place.resolve()] = str(error)
    return Gathered(tuple(records.values()), tuple(left_out.values()))


def _config(directory: Path) -> dict[str, Any]:
    import yaml

    try:
        config = RunDirectory(directory).config()
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AssayError(f"{directory}: {CONFIG} cannot be read ({_first_line(error)})") from error
    if not isinstance(config, dict):
        raise AssayError(f"{directory}: {CONFIG} holds no settings")
    return config


def _metrics(run: RunDirectory) -> dict[str, float]:
    try:
        return run.metrics()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise AssayError(f"{run.path}: {METRICS} cannot be read ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
