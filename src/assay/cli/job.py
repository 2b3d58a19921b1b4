"""From a checked config to its finished run, its table and its report."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.runs.directory import STATUS, RunDirectory, write_atomically
from assay.runs.execute import RunResult, execute, find_finished
from assay.runs.log import held_back
from assay.runs.streams import Streams

if TYPE_CHECKING:
    from assay.data import PreparedData
    from assay.runs.context import RunContext
    from assay.runs.outcome import Outcome

Config = Mapping[str, Any]
_OWN_FILES = ("csv", "parquet")
_PUBLISHED = "published.json"

_logger = logging.getLogger(__name__)


def carry(config: Config) -> Path:
    """Directory of the finished run of a checked config; carries it out when there is none.

    Raises AssayError before anything is written when the data cannot serve, and whatever the task raises.
    """
    outputs = Path(config["paths"]["outputs"]).expanduser()
    with held_back():
        checksum = _checksum(config)
        result = find_finished(config, outputs / "runs", checksum) or _execute(config, outputs / "runs", checksum)
        _publish(result, config["logger"])
    return result.directory


def report(config: Config, directory: Path) -> Path:
    """The HTML report on one run; built unless there is one younger than the run."""
    folder = Path(config["paths"]["outputs"]).expanduser() / "reports" / config["name"]
    page: Path = folder / "index.html"
    if not page.is_file() or page.stat().st_mtime < (directory / STATUS).stat().st_mtime:
        from assay.report import build_report

        with held_back():
            page = build_report([directory], folder, title=str(config["name"]))
    return page


def summarise(directory: Path) -> None:
    """Prints the run's summary table, or its lowest values and metrics."""
    from assay.cli.show import show

    show(RunDirectory(directory))


def _checksum(config: Config) -> str | None:
    """Checksum of the user's file or folder, its columns checked; None for data that lies elsewhere."""
    dataset = config["dataset"]
    path = dataset.get("path")
    if path is None:
        return None
    from assay.data import check_columns, local_checksum

    if dataset["name"] in _OWN_FILES:
        check_columns(path, dataset["target"], dataset["features"], dataset["types"], dataset["encoding"])
    elif not Path(path).expanduser().exists():
        return None  # a hub id; for built-in data the local path is only the first place to look
    found = local_checksum(path)
    return found if config["privacy"]["name"] == "none" else _withheld(found, config)


def _withheld(checksum: str, config: Config) -> str:
    """A checksum that says nothing to who lacks the key beside the data: a plain one would confirm a guess at a private row."""
    place = Path(config["paths"]["data"]).expanduser() / "checksum.key"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, os.urandom(32))
        place.chmod(0o600)
    return hmac.new(place.read_bytes(), checksum.encode(), hashlib.sha256).hexdigest()


def _execute(config: Config, root: Path, checksum: str | None) -> RunResult:
    data = _prepare(config)
    private = config["privacy"]["name"] != "none"

    def work(context: RunContext) -> Outcome:
        from assay.tasks import carry_out

        return carry_out(config, data, context)

    provenance = data.provenance
    source = {"provider": provenance.provider, "source": provenance.source, "sha256": provenance.sha256}
    if checksum is not None and private:
        source["sha256"] = "withheld: the run is private"
    facts = {"data": source, **_described(data, private)}
    secure = private and bool(config["privacy"].get("secure_noise"))
    return execute(
        config, work, root, path_checksum=checksum, facts=facts, private=_charges(config, private), secure=secure
    )


def _charges(config: Config, private: bool) -> bool:
    """Whether the run must charge a ledger: its own choice is private, or one of the mechanisms that it compares."""
    compared = config["task"].get("mechanisms")
    return private if compared is None else any(name != "none" for name in compared)


def _described(data: PreparedData, private: bool) -> dict[str, Any]:
    """Says on the terminal and in the log what was made of the user's own table; returns it as facts."""
    if data.description is None:
        return {}
    from assay.data.own.description import cautions, facts, summary

    for level, lines in ((logging.INFO, summary(data)), (logging.WARNING, cautions(data))):
        for line in lines:
            print(line, file=sys.stderr)
            _logger.log(level, line)
    return facts(data, private)


def _prepare(config: Config) -> PreparedData:
    streams = Streams(config["seed"])
    data_dir = Path(config["paths"]["data"]).expanduser()
    surroundings: dict[str, Any] = {"data_dir": data_dir, "generator": lambda purpose: streams.generator(purpose)}
    if "_target_" in config["dataset"]:
        from hydra.utils import instantiate

        data: PreparedData = instantiate(config["dataset"], _convert_="all", **surroundings)
        return data
    from assay.data import prepare

    keys: dict[str, Any] = dict(config["dataset"])
    return prepare(**keys, **surroundings)


def _publish(result: RunResult, logger: Config) -> None:
    """Tells the run to a logger, once for each way the logger is set."""
    if logger["name"] == "none":
        return
    from assay.report import publish

    record = result.directory / _PUBLISHED
    told = json.loads(record.read_text()) if record.is_file() else []
    mark = hashlib.sha256(json.dumps(logger, sort_keys=True, default=str).encode()).hexdigest()[:16]
    if mark not in told:
        publish(result.directory, logger)
        write_atomically(record, json.dumps([*told, mark]).encode())
