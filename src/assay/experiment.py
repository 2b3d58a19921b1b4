"""One experiment from beginning to end: overrides -> choices -> data -> task -> a finished run directory."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config.choices import Choices
from assay.config.compose import compose
from assay.config.root import GROUPS
from assay.runs.directory import STATUS, RunDirectory, write_atomically
from assay.runs.execute import RunResult, directory_of, execute, find_finished
from assay.runs.log import collected
from assay.runs.streams import Streams
from assay.runs.totals import Charge, charge_all

if TYPE_CHECKING:
    from assay.data import DatasetOptions, PreparedData
    from assay.runs.context import RunContext
    from assay.runs.outcome import Outcome

_PUBLISHED = "published.json"

_logger = logging.getLogger(__name__)

Table = tuple[str | None, float | None]  # its id, and the total of epsilon that it may come to


def run(overrides: Sequence[str] = (), *, config_dir: str | None = None) -> RunDirectory:
    """The finished run that `assay run OVERRIDES...` leaves, carried out when there is none.

    `config_dir` is a folder of further options. Raises AssayError in one line, before anything is written where the
    options or the data cannot serve, and whatever the task raises.
    """
    return carry(compose(overrides, config_dir))


def carry(choices: Choices) -> RunDirectory:
    """The finished run of checked choices, its logger served; carried out when there is none."""
    root = outputs_of(choices) / "runs"
    with collected():
        checksum = _checksum(choices)
        result = find_finished(choices.config, root, checksum)
        if result is None:
            check_machine(choices)
            charge([choices])
            result = _execute(choices, root, checksum)
    run = RunDirectory(result.directory)
    publish(run, choices)
    return run


def find(choices: Choices, say: Callable[[str], None] | None = None) -> RunDirectory | None:
    """The finished run of checked choices; None where it is to be carried out. `say` as for `find_finished`."""
    result = find_finished(choices.config, outputs_of(choices) / "runs", _checksum(choices), say)
    return None if result is None else RunDirectory(result.directory)


def directory(choices: Choices) -> RunDirectory:
    """The directory of a run, which need not exist."""
    return directory_of(choices.config, outputs_of(choices) / "runs", _checksum(choices))


def check_machine(choices: Choices) -> None:
    """Raises InputError for a choice that this machine cannot serve: each option knows what it needs of it."""
    for group in GROUPS:
        check = getattr(getattr(choices, group), "check_machine", None)
        if callable(check):
            check()


def charge(runs: Sequence[Choices]) -> None:
    """Charges the secure releases of runs that are not finished to their tables, all of them before any is made.

    Raises InputError, with nothing written, where a table would exceed its total. Rehearsals and finished runs are free.
    """
    tables: dict[tuple[Path, Table], list[Charge]] = {}
    for choices in runs:
        plans = planned(choices)
        if not plans or find(choices) is not None:
            continue
        for table, (epsilon, delta) in plans.items():
            charges = tables.setdefault((_data_dir(choices), table), [])
            charges.append(Charge(directory(choices), epsilon, delta))
    for (data_dir, (table_id, total)), charges in tables.items():
        charge_all(data_dir, table_id, charges, total)


def secure(choices: Choices) -> bool:
    """True for a run that makes a release that counts: private, with noise that nobody can draw again."""
    return bool(planned(choices))


def planned(choices: Choices) -> dict[Table, tuple[float, float]]:
    """The most epsilon and delta that a run may spend by secure noise on each table, with the total of that table.

    Every estimate of every private contender spends its budget. A task says by `estimates` how many it makes of each, where
    these are not its replicates at each of its numbers of evaluations.
    """
    task = choices.task
    counted = getattr(task, "replicates", 1) * len(getattr(task, "evaluations", None) or [1])
    estimates = getattr(task, "estimates", counted)
    sums: dict[Table, tuple[float, float]] = {}
    for privacy in (each.privacy for each in choices.contenders):
        if getattr(privacy, "releases", None) is not None and privacy.secure_noise:
            table = (privacy.table, privacy.total)
            epsilon, delta = sums.get(table, (0.0, 0.0))
            sums[table] = epsilon + estimates * privacy.epsilon, delta + estimates * privacy.guaranteed_delta
    return sums


def report(choices: Choices, run_directory: RunDirectory) -> Path:
    """The HTML page on one run; built unless there is one younger than the run."""
    folder, place = outputs_of(choices) / "reports" / choices.name, run_directory.path
    page: Path = folder / "index.html"
    if not page.is_file() or page.stat().st_mtime < (place / STATUS).stat().st_mtime:
        from assay.report import build_report

        with collected():
            page = build_report([place], folder, title=choices.name)
    return page


def outputs_of(choices: Choices) -> Path:
    """The folder of outputs."""
    return Path(choices.paths.outputs).expanduser()


def _data_dir(choices: Choices) -> Path:
    return Path(choices.paths.data).expanduser()


def _checksum(choices: Choices) -> str | None:
    """Checksum of the user's file or folder, its columns checked; None for data that lies elsewhere."""
    dataset: DatasetOptions = choices.dataset
    checksum = dataset.checksum
    return keyed(checksum, _data_dir(choices)) if choices.private and checksum is not None else checksum


def keyed(checksum: str, data_dir: Path) -> str:
    """A checksum that says nothing to who lacks the key beside the data: a plain one would confirm a guess at a private row."""
    place = data_dir / "checksum.key"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, os.urandom(32))
        place.chmod(0o600)
    return hmac.new(place.read_bytes(), checksum.encode(), hashlib.sha256).hexdigest()


def _execute(choices: Choices, root: Path, checksum: str | None) -> RunResult:
    data = prepared(choices)
    resolved = getattr(choices.model, "resolved", None)
    if callable(resolved):
        resolved(data.kind, data.modality)  # which refuses a target or inputs that only the data could show

    def work(context: RunContext) -> Outcome:
        from assay.tasks import carry_out

        return carry_out(choices, data, context)

    provenance = data.provenance
    source = {"provider": provenance.provider, "source": provenance.source, "sha256": provenance.sha256}
    if checksum is not None and choices.private:
        source["sha256"] = "withheld: the run is private"
    facts = {"data": source, **_described(data, choices.private)}
    return execute(
        choices.config,
        work,
        root,
        path_checksum=checksum,
        facts=facts,
        private=choices.private,
        secure=secure(choices),
    )


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


def prepared(choices: Choices) -> PreparedData:
    """The train, valid and test rows of a run; every draw comes from the run's seed."""
    from assay.data import prepare

    generator = Streams(choices.seed).generator
    return prepare(choices.dataset, data_dir=_data_dir(choices), generator=generator, blind=choices.private)


def publish(run: RunDirectory, choices: Choices) -> None:
    """Sends a finished run to its logger, once for each way the logger is set."""
    from assay.report.loggers.logger import Logger

    if type(choices.logger) is Logger:  # which sends nothing
        return
    record = run.path / _PUBLISHED
    marks = _marks(record)
    mark = hashlib.sha256(json.dumps(choices.config["logger"], sort_keys=True).encode()).hexdigest()[:16]
    if mark not in marks:
        from assay.report import publish as send

        with collected():
            send(run.path, choices.logger)
        write_atomically(record, json.dumps([*marks, mark]).encode())


def _marks(record: Path) -> list[str]:
    """The ways by which a run was sent to a logger; none where that cannot be read, and to send twice adds nothing."""
    try:
        marks = json.loads(record.read_text())
    except (OSError, ValueError):
        return []
    return marks if isinstance(marks, list) else []
