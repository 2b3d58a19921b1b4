"""What a report says of each run: identity, origin of its data, privacy spent, cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.report.aggregate import is_bound
from assay.report.reading import RunRecord

NOISE = {
    "none": "no noise: the values protect nobody",
    "seeded": "seeded: repeatable, and therefore no guarantee towards anyone who knows the seed",
    "secure": "secure: drawn from the operating system and recorded nowhere, so the guarantee stands",
}
# What compares private values with the truth or with non-private values is itself not private.
NON_PRIVATE = ("auc", "spearman", "clean", "reference", "non_private", "precision")


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
    """The facts of one run; what its status does not tell is `not recorded`."""
    noise = noise_of(run)
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


def noise_of(run: RunRecord) -> str:
    """none, seeded or secure, from the status or else from the config."""
    if "noise" in run.status:
        return str(run.status["noise"])
    if not is_private(run):
        return "none"
    return "secure" if run.setting("privacy.secure_noise") is True else "seeded"


def is_private(run: RunRecord) -> bool:
    """Whether the run was asked for differential privacy."""
    privacy = run.config.get("privacy") or {}
    return isinstance(privacy, Mapping) and privacy.get("name", "none") != "none"


def statement_lines(run: RunRecord) -> list[str]:
    """What the run says of the publication of its values; empty where nothing is to be published."""
    statement = run.status.get("statement")
    return [str(line) for line in statement] if isinstance(statement, list) else []


def non_private_columns(run: RunRecord) -> list[str]:
    """`table.column` of what a private run's tables hold without privacy: the truth, and comparisons with it."""
    if not is_private(run):
        return []
    columns, rows = [], []
    for name in run.tables:
        frame = run.table(name)
        if frame is None or name == "costs":
            continue
        told = [column for column in map(str, frame) if not is_bound(column, frame)]
        columns += [f"{name}.{column}" for column in told if _is_non_private(column)]
        if "mechanism" in frame and (frame["mechanism"] == "none").any():
            rows.append(f"{name} where mechanism=none")
    return columns + rows


def _is_non_private(column: str) -> bool:
    return column.startswith(NON_PRIVATE) and not column.endswith("_ceiling")  # a ceiling follows from the budget alone


def number(value: object) -> str:
    """A number in three significant digits, as text for a table; a dash where there is none."""
    if value is None or value != value:  # NaN is the only value that differs from itself
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e6):
        return f"{int(value)}"
    return f"{value:.3g}"


def _data(data: Any) -> str:
    if not isinstance(data, Mapping):
        return str(data) if data else "not recorded"
    return ", ".join(str(data[key]) for key in ("provider", "source") if data.get(key)) or "not recorded"


def _checksum(data: Any) -> str:
    return str(data.get("sha256") or "") if isinstance(data, Mapping) else ""


def _epsilon(run: RunRecord, noise: str) -> str:
    if "epsilon_per_estimate" in run.status:
        return f"{number(run.status['epsilon_per_estimate'])} for each estimate; {run.status.get('release', '')}"
    spent = run.status.get("epsilon", run.metrics.get("epsilon"))
    if isinstance(spent, Mapping):
        return ", ".join(f"{key}: {number(value)}" for key, value in spent.items())
    if spent is None:
        return "no privacy" if noise == "none" else "not recorded"
    return number(spent)
