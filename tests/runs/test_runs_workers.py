"""A part that is damaged, and a worker that is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.errors import AssayError
from assay.runs import Parts


def square(number: int) -> dict[str, Any]:
    return {"square": number**2}


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "folder"])
def test_a_damaged_part_is_named_and_computed_again(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [dict(part) for part in Parts(tmp_path).map("draw", square, range(3))]
    file = tmp_path / "draw-1.npz"
    content = file.read_bytes()
    file.unlink()
    if damage == "folder":
        file.mkdir()
    else:
        place = len(content) // 2
        flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        file.write_bytes({"cut": content[:50], "flip": flipped, "empty": b""}[damage])
    again = list(Parts(tmp_path).map("draw", square, range(3)))
    assert [str(part) for part in again] == [str(part) for part in before]
    assert file.read_bytes() == content
    said = capsys.readouterr().err
    assert said.startswith(f"{file}: damaged (")
    assert said.endswith("computed again\n")


def test_a_damaged_part_that_cannot_be_made_again_ends_the_run(tmp_path: Path) -> None:
    list(Parts(tmp_path).map("draw", square, range(3)))
    file = tmp_path / "draw-1.npz"
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(AssayError, match=r"draw-1\.npz: damaged .*cannot be drawn again"):
        list(Parts(tmp_path, mends=False).map("draw", square, range(3)))


KILLED = """
import os, signal, sys
from pathlib import Path
from assay.errors import StoppedError
from assay.runs import Parts

class Kill:
    def __call__(self, number):
        if number == 5 and not Path(sys.argv[2]).exists():
            Path(sys.argv[2]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"square": number * number}

try:
    print([part["square"] for part in Parts(Path(sys.argv[1]), 2).map("squares", Kill(), range(8))])
except StoppedError as error:
    print(error)
"""


def test_a_killed_worker_is_one_line_and_the_same_command_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(tmp_path / "parts"), str(tmp_path / "killed")]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2))
    assert first.stdout.startswith("workers=2: a worker process was killed")
    assert first.stdout.count("\n") == 1
    assert second.stdout == f"{[number * number for number in range(8)]}\n"
