"""Facts of each run for its report: identity, origin of the data, privacy spent, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.config.listing import options
from assay.figures.tables import number
from assay.report.reading import RunRecord

NOISE = {
    "none": "no noise: the values protect nobody",
    "seeded": "seeded: repeatable, and therefore no guarantee towards anyone who knows the seed",
    "secure": "secure: drawn from the operating system and recorded nowhere, so the guarantee stands",
}


@dataclass(frozen=True)
class RunFacts:
    """One row of the table of runs, in words."""

    fingerprint: str
    name: str
    seed: int
    scale: str
    commit: str
    data: str
    checksum: str
    epsilon: str
    noise: str
    seconds: str


def run_facts(run: RunRecord) -> RunFacts:
    """The facts of one run; those that its status lacks are `not recorded`."""
    noise = str(run.status.get("noise", "not recorded"))
    return RunFacts(
        fingerprint=run.fingerprint,
        name=run.name,
        seed=run.seed,
        scale=run.scale or "none",
        commit=str(run.status.get("commit") or "not recorded"),
        data=_data(run.status.get("data")),
        checksum=_checksum(run.status.get("data")),
        epsilon=_epsilon(run, noise),
        noise=NOISE.get(noise, noise),
        seconds=number(run.metrics.get("seconds", run.status.get("seconds"))),
    )


def question_of(records: Sequence[RunRecord]) -> str:
    """The question that the task of the runs asks, as its option says it; empty for runs of several tasks."""
    questions = dict(options("task"))
    names = {record.setting("task.name") for record in records}
    return questions.get(str(names.pop()), "") if len(names) == 1 else ""


def is_private(run: RunRecord) -> bool:
    """True for a run whose ledger was charged."""
    return str(run.status.get("noise", "none")) != "none"


def statement_lines(run: RunRecord) -> list[str]:
    """The run's sentences on the publication of its values; none where nothing is to be published."""
    statement = run.status.get("statement")
    return [str(line) for line in statement] if isinstance(statement, list) else []


def published_columns(run: RunRecord) -> list[str]:
    """`table.column` of everything that may be published of a run, which secure noise alone allows."""
    released = run.status.get("released")
    if run.status.get("noise") != "secure" or not isinstance(released, Mapping):
        return []
    return [f"{table}.{column}" for table, columns in released.items() for column in columns]


def _data(data: Any) -> str:
    if not isinstance(data, Mapping):
        return str(data) if data else "not recorded"
    return ", ".join(str(data[key]) for key in ("provider", "source") if data.get(key)) or "not recorded"


def _checksum(data: Any) -> str:
    return str(data.get("sha256") or "") if isinstance(data, Mapping) else ""


def _epsilon(run: RunRecord, noise: str) -> str:
    if "epsilon_per_estimate" in run.status:
        each = f"{number(run.status['epsilon_per_estimate'])} for each of {run.status.get('estimates')} estimates"
        return f"{each}, {number(run.status.get('epsilon'))} in all; {run.status.get('release', '')}".rstrip("; ")
    spent = run.status.get("epsilon", run.metrics.get("epsilon"))
    if isinstance(spent, Mapping):
        return ", ".join(f"{key}: {number(value)}" for key, value in spent.items())
    if spent is None:
        return "no privacy" if noise == "none" else "not recorded"
    return number(spent)
