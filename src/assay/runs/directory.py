"""The files of one run; `finished` is the last thing written, by rename."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.runs.outcome import Headline, Shown

if TYPE_CHECKING:
    import pandas as pd

STATUS, METRICS, CONFIG, LOG = "status.json", "metrics.json", "config.yaml", "run.log"
LEDGER, HEADLINE = "ledger.jsonl", "headline.json"
SCRATCH, FIGURES, RELEASE, REHEARSAL = "scratch", "figures", "release", "rehearsal"
FINISHED, SUPERSEDED, DAMAGED = "finished", "superseded", "damaged"
_CHECKSUM = "checksum"  # of all other entries of a status


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file as a whole: a reader, or a run resumed after a kill, sees the old bytes or the new ones."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def remove(place: Path) -> None:
    """Removes a file, a link, or a folder with all that it holds."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


@dataclass(frozen=True)
class RunDirectory:
    """Reads and writes the files of one run below `path`."""

    path: Path

    @property
    def scratch(self) -> Path:
        """Checkpoints of a run that is not finished."""
        return self.path / SCRATCH

    def status(self) -> dict[str, Any]:
        """Content of status.json; empty when there is none that can be read, or when its bytes have changed."""
        try:
            status = json.loads((self.path / STATUS).read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(status, dict):
            return {}
        checksum = status.pop(_CHECKSUM, None)
        return status if checksum in (None, _checksum_of(status)) else {}

    def is_finished(self) -> bool:
        """True for a finished run that nothing has taken the place of; every other is to be carried out (again)."""
        status = self.status()
        return status.get("state") == FINISHED and status.get("fingerprint", self.path.name) == self.path.name

    def damaged_files(self) -> list[str]:
        """Files of a finished run that are missing or not as the run left them, by name.

        A run whose status cannot be read is a damaged one, since the status is the first and the last file to be written.
        """
        status = self.status()
        if not status and self.path.exists():
            results = self.path.is_dir() and {entry.name for entry in self.path.iterdir()} - {SCRATCH}
            return [STATUS] if results or not self.path.is_dir() else []
        recorded = status.get("files", {})
        return sorted(name for name, digest in recorded.items() if digest != _digest_of(self.path / name))

    def digests(self) -> dict[str, str]:
        """SHA-256 of every result of the run, by its place in the directory."""
        files = [file for file in sorted(self.path.rglob("*")) if file.is_file()]
        names = {file: file.relative_to(self.path).as_posix() for file in files}
        results = {file: name for file, name in names.items() if name != STATUS and not name.startswith(".")}
        return {name: _digest_of(file) for file, name in results.items() if not name.startswith(f"{SCRATCH}/")}

    def set_aside(self, state: str) -> Path:
        """Renames the directory to the next free `<name>.1`, `<name>.2`, ..., with this state; returns the new place."""
        numbers = itertools.count(1)
        aside = next(each for n in numbers if not (each := self.path.with_name(f"{self.path.name}.{n}")).exists())
        status = self.status() or {"fingerprint": self.path.name}
        self.path.rename(aside)  # first, since the name alone already says that the run is not the newest
        if aside.is_dir():
            if (aside / STATUS).is_dir():
                (aside / STATUS).rename(aside / f"{STATUS}.damaged")
            RunDirectory(aside).write_status({**status, "state": state})
        return aside

    def config(self) -> dict[str, Any]:
        """The resolved config; empty when there is none."""
        import yaml

        path = self.path / CONFIG
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there
        return yaml.load(path.read_text(encoding="utf-8"), loader) or {} if path.is_file() else {}

    def metrics(self) -> dict[str, float]:
        """Flat name -> number of a finished run; NaN where JSON holds null."""
        metrics = json.loads((self.path / METRICS).read_text())
        return {name: math.nan if value is None else float(value) for name, value in metrics.items()}

    def headline(self) -> Headline:
        """The first things to be shown of a finished run; none for a run of an older assay."""
        file = self.path / HEADLINE
        if not file.is_file():
            return Headline()
        content = json.loads(file.read_text())
        tables, further = (tuple(_shown(entry) for entry in content[key]) for key in ("tables", "further"))
        return Headline(tables, tuple(content["metrics"]), tuple(content["notes"]), further)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of a table, read without pandas, which would double the time of a finished run; none without the table."""
        file = self.path / f"{name}.parquet"
        if not file.is_file():
            return []
        import pyarrow.parquet as pq

        with pq.ParquetFile(file) as opened:  # pq.read_table would import pandas
            columns = opened.read().to_pydict()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def table(self, name: str) -> pd.DataFrame | None:
        """One table of the run; None when the task left none of that name."""
        import pandas as pd

        file = self.path / f"{name}.parquet"
        return pd.read_parquet(file) if file.is_file() else None

    def open(self, status: Mapping[str, Any]) -> None:
        """Marks the run as under way, then removes what an earlier attempt left, its checkpoints aside."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.write_status(status)
        for entry in self.path.iterdir():
            if entry.name not in (STATUS, SCRATCH):
                remove(entry)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Keeps the resolved config."""
        import yaml

        text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        write_atomically(self.path / CONFIG, text.encode())

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replaces status.json."""
        plain = json.loads(json.dumps(status, default=str))
        whole = {**plain, _CHECKSUM: _checksum_of(plain)}
        write_atomically(self.path / STATUS, (json.dumps(whole, indent=1) + "\n").encode())

    def remove(self) -> None:
        """Removes the run."""
        remove(self.path)

    def drop_scratch(self) -> None:
        """Removes the checkpoints; what cannot be removed does no harm and stays."""
        shutil.rmtree(self.scratch, ignore_errors=True)


def _digest_of(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return "missing"


def _checksum_of(status: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(status, sort_keys=True).encode()).hexdigest()


def finished_runs(root: Path) -> Iterator[Path]:
    """Directories of the finished runs below a folder, by path."""
    for status in sorted(root.rglob(STATUS)):
        if RunDirectory(status.parent).is_finished():
            yield status.parent


def unreadable_runs(root: Path) -> Iterator[Path]:
    """Directories below a folder that hold results and no status that can be read, by path."""
    for metrics in sorted(root.rglob(METRICS)):
        if not RunDirectory(metrics.parent).status():
            yield metrics.parent


def _shown(entry: dict[str, Any]) -> Shown:
    """One table of a headline, from JSON, which knows lists only."""
    rows = None if entry["rows"] is None else tuple(entry["rows"])
    intervals = {name: (low, high) for name, (low, high) in entry["intervals"].items()}
    return Shown(**{**entry, "columns": tuple(entry["columns"]), "rows": rows, "intervals": intervals})
