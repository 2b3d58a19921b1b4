"""Fifty damages of a finished run: each is named, set aside and computed again, and a report leaves it out."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.report.reading import find_runs, gather
from assay.runs import Outcome, RunContext, RunDirectory, execute, find_finished

CONFIG: dict[str, Any] = {"name": "study", "seed": 0, "rerun": False}
FILES = (
    "config.yaml",
    "status.json",
    "metrics.json",
    "headline.json",
    "run.log",
    "ledger.jsonl",
    "values.parquet",
    "values.csv",
    "figures/line.png",
    "rehearsal/values.csv",
)
STEADY = ("metrics.json", "status.json", "run.log")  # of which times are a part


def answer(context: RunContext) -> Outcome:
    from matplotlib.figure import Figure

    logging.getLogger("work").warning("a line for the log")
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0])
    table = pd.DataFrame({"id": range(4), "value": context.streams.generator("answer").normal(size=4)})
    entry = {"epsilon": 1.0, "delta": 1e-5, "relation": "zero_out", "noise": "seeded"}
    return Outcome(
        {"mean": float(table["value"].mean())},
        {"values": table},
        {"line": figure},
        {"values.csv": table},
        ledger=[entry],
        released={"values": ("id", "value")},
    )


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def delete(file: Path) -> None:
    file.unlink()


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES = (cut, flip, empty, delete, make_folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    execute(CONFIG, answer, root, private=True)
    return root


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_its_run_computed_again(
    finished: Path, tmp_path: Path, file: str, damage: Callable[[Path], None]
) -> None:
    root = tmp_path / "runs"
    shutil.copytree(finished, root)
    (directory,) = (root / "study").iterdir()
    damage(directory / file)
    assert RunDirectory(directory).damaged_files() == [file]
    assert find_finished(CONFIG, root) is None
    gathered = gather([root])
    assert (gathered.records, len(gathered.left_out)) == ((), 1)
    assert gathered.left_out[0] == f"{directory}: damaged ({file}); repeat its command to run it again"
    lines: list[str] = []
    assert execute(CONFIG, answer, root, private=True, say=lines.append).fresh
    aside = directory.with_name(f"{directory.name}.1")
    assert lines == [f"{directory}: damaged ({file}); the older run is {aside}"]
    assert RunDirectory(aside).status()["state"] == "damaged"
    (reference,) = (finished / "study").iterdir()
    for name in (name for name in FILES if name not in STEADY):
        assert (directory / name).read_bytes() == (reference / name).read_bytes()
    assert [record.directory for record in find_runs(root)] == [directory]


@pytest.mark.parametrize("place", [0.01, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_no_byte_of_a_status_changes_unseen(finished: Path, tmp_path: Path, place: float) -> None:
    root = tmp_path / "runs"
    shutil.copytree(finished, root)
    (directory,) = (root / "study").iterdir()
    content = (directory / "status.json").read_bytes()
    for at in range(int(place * len(content)) - 4, int(place * len(content)) + 4):
        if 0 <= at < len(content) - 1:  # the last byte ends the line
            flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            (directory / "status.json").write_bytes(flipped)
            assert RunDirectory(directory).damaged_files() == ["status.json"]


def test_a_file_in_the_place_of_a_run_is_set_aside(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    shutil.copytree(finished, root)
    (directory,) = (root / "study").iterdir()
    shutil.rmtree(directory)
    directory.write_text("no folder")
    lines: list[str] = []
    assert execute(CONFIG, answer, root, private=True, say=lines.append).fresh
    assert lines == [
        f"{directory}: damaged (status.json); the older run is {directory.with_name(f'{directory.name}.1')}"
    ]
    assert directory.with_name(f"{directory.name}.1").read_text() == "no folder"
