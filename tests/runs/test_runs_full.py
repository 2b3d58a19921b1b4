"""A disk that is full at five sizes, a limit on the size of files, and outputs that are deleted: one line each."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.errors import AssayError
from assay.runs import Outcome, RunContext, execute
from assay.runs import directory as directory_module
from assay.runs import parts as parts_module

CONFIG: dict[str, Any] = {"name": "study", "seed": 0, "paths": {"outputs": "outputs"}}

# A run in a process whose files may have so many bytes and no more.
LIMITED = """
import resource, sys
from pathlib import Path
from assay.cli import failure_line
from assay.runs import execute
from tests.runs.test_runs_full import CONFIG, answer

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    execute(CONFIG, answer, Path(sys.argv[2]))
except Exception as error:
    print(failure_line(error))
"""


def square(number: int) -> dict[str, Any]:
    return {"square": number**2}


def answer(context: RunContext) -> Outcome:
    squares = []
    for place, part in enumerate(context.parts.map("squares", square, range(20))):
        logging.getLogger("work").warning("part %s of a long log", place)
        squares.append(part["square"])
    return Outcome({"sum": sum(squares)}, {"squares": pd.DataFrame({"square": squares * 50})})


class Disk:
    """Counts the bytes that are written, and refuses those beyond its size."""

    def __init__(self, size: int) -> None:
        self.left, self.whole = size, directory_module.write_atomically

    def write(self, path: Path, content: bytes) -> None:
        if len(content) > self.left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        self.left -= len(content)
        self.whole(path, content)


@pytest.mark.parametrize("size", [0, 1000, 3000, 6000, 9000])
def test_a_disk_that_is_full_at_any_size_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, capfd: pytest.CaptureFixture[str]
) -> None:
    disk = Disk(size)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # of other tests, on streams that are closed
    monkeypatch.setattr(directory_module, "write_atomically", disk.write)
    monkeypatch.setattr(parts_module, "write_atomically", disk.write)
    with pytest.raises(AssayError, match=r"^paths\.outputs=outputs: cannot write .*No space left on device") as caught:
        execute(CONFIG, answer, tmp_path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    monkeypatch.undo()
    assert execute(CONFIG, answer, tmp_path).metrics["sum"] == sum(number**2 for number in range(20))


@pytest.mark.parametrize("size", [100, 300, 500, 700, 900])
def test_a_file_beyond_the_limit_is_one_line(tmp_path: Path, size: int) -> None:
    command = [sys.executable, "-c", LIMITED, str(size), str(tmp_path / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("paths.outputs=outputs: cannot write ")
    assert os.strerror(errno.EFBIG) in done.stdout
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert execute(CONFIG, answer, tmp_path / "runs").fresh


def test_outputs_deleted_on_the_way_are_one_line(tmp_path: Path) -> None:
    def deleting(context: RunContext) -> Outcome:
        shutil.rmtree(tmp_path / "outputs")
        return answer(context)

    with pytest.raises(AssayError, match=r"^paths\.outputs=outputs: cannot write .*No such file or directory"):
        execute(CONFIG, deleting, tmp_path / "outputs" / "runs")
    assert execute(CONFIG, answer, tmp_path / "outputs" / "runs").fresh
