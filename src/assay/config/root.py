"""Keys of a run outside its groups, and the names of the groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import Limit, at_least, matches, not_empty

GROUPS = ("dataset", "model", "valuation", "privacy", "task", "trainer", "logger", "paths")
# a member that every option of a group has
MEMBERS = {
    "dataset": "checksum",
    "model": "row_gradients",
    "valuation": "valuate",
    "privacy": "releases",
    "task": "answer",
    "trainer": "device",
    "logger": "send",
}
SCALES = ("smoke", "laptop", "paper")

_NAME = r"\w[\w.+-]*(/\w[\w.+-]*)*"
LONGEST_NAME, MOST_WORKERS = 200, 1024


def _short(name: str) -> bool:
    """True for a name whose folders any file system takes, with what is put before and after them."""
    return len(name.encode()) <= 1000 and all(len(part.encode()) <= LONGEST_NAME for part in name.split("/"))


def _few(workers: int) -> bool:
    return 1 <= workers <= MOST_WORKERS


@dataclass(frozen=True)
class Root:
    """The keys of a run outside its groups."""

    name: Annotated[
        str,
        matches(_NAME, "must be a folder name", "letters, digits, '_', '-', '.', separated by '/'"),
        Limit(_short, f"must have at most {LONGEST_NAME} bytes between two '/'", "give the run a shorter name"),
    ]
    scale: Literal["smoke", "laptop", "paper"] = "laptop"
    seed: Annotated[int, Limit(lambda seed: 0 <= seed < 2**63, "must be from 0 to 2^63 - 1", "e.g. seed=0")] = 0
    seeds: Annotated[int, at_least(1, "intervals need 2 or more")] = 5
    workers: Annotated[int, Limit(_few, f"must be from 1 to {MOST_WORKERS}", "1 is this process alone")] = 1
    progress: bool = True
    rerun: bool = False
    report: bool = False


@dataclass(frozen=True)
class Paths:
    """Folders of outputs and of public data."""

    outputs: Annotated[str, not_empty("e.g. paths.outputs=outputs")] = "outputs"
    data: Annotated[str, not_empty("e.g. paths.data=~/.cache/assay")] = "~/.cache/assay"
