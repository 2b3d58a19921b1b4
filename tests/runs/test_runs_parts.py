"""Work in parts: the same for any number of workers, after a kill and after an error."""

from __future__ import annotations

import io
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.runs import Parts, Streams


@dataclass(frozen=True)
class Draw:
    """Draws numbers of an item's own stream; leaves a line in a log; fails at one item."""

    log: Path | None = None
    fails: int = -1

    def __call__(self, number: int) -> dict[str, Any]:
        if number == self.fails:
            raise ZeroDivisionError(f"at {number}")
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{number}\n")
        draws = Streams(3).generator("draw", number).normal(size=(2, 3))
        return {"draws": draws, "number": number, "file": "text", "pid": os.getpid()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool((one["draws"] == other["draws"]).all()) and one["number"] == other["number"]


def lines(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("cost", [None, float])
def test_two_workers_yield_what_one_yields_in_the_order_of_the_items(tmp_path: Path, saved: bool, cost: Any) -> None:
    items = [*range(40)]
    one = list(Parts(tmp_path / "one" if saved else None).map("draw", Draw(), items))
    two = list(Parts(tmp_path / "two" if saved else None, 2).map("draw", Draw(), items, cost=cost))
    assert [part["number"] for part in one] == items
    assert all(map(same, one, two))
    assert os.getpid() not in {part["pid"] for part in two}


def test_files_of_equal_results_are_equal(tmp_path: Path) -> None:
    def work(number: int) -> dict[str, Any]:
        return {"draws": np.full(3, number), "text": "é", "list": [1, None]}

    for name in "ab":
        list(Parts(tmp_path / name).map("draw", work, [5, 6]))
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == ["draw-0.npz", "draw-1.npz"]
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize("folder", [True, False])
def test_results_come_back_with_their_types(tmp_path: Path, folder: bool) -> None:
    result = {
        "file": np.array(["a", "bc"]),
        "plain": np.float32([1.5]),
        "scalar": np.array(2.5),
        "none": None,
        "number": np.float64(0.1),
        "count": np.int64(3),
        "infinite": math.inf,
        "entries": [{"epsilon": 8.0}],
    }
    (back,) = Parts(tmp_path if folder else None).map("types", lambda item: result, [0])
    assert list(back) == list(result)
    for name in ("file", "plain", "scalar"):
        assert back[name].dtype == result[name].dtype  # type: ignore[union-attr]
        assert np.array_equal(back[name], result[name])  # type: ignore[arg-type]
    assert (back["none"], back["number"], back["count"], back["infinite"]) == (None, 0.1, 3, math.inf)
    assert type(back["number"]) is float
    assert back["entries"] == [{"epsilon": 8.0}]


def test_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        list(Parts().map("objects", lambda item: {"array": np.array([object()])}, [0]))


@pytest.mark.parametrize("workers", [1, 2])
def test_saved_parts_are_not_computed_again(tmp_path: Path, workers: int) -> None:
    log = tmp_path / "log"
    first = list(Parts(tmp_path / "parts", workers).map("draw", Draw(log), range(6)))
    (tmp_path / "parts" / "draw-4.npz").unlink()
    steps: list[int] = []
    again = list(Parts(tmp_path / "parts", workers).map("draw", Draw(log), range(6), advance=steps.append))
    assert sorted(lines(log)) == [0, 1, 2, 3, 4, 4, 5]
    assert all(map(same, first, again))
    assert steps == [1] * 6


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_work_keeps_what_is_done(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ZeroDivisionError, match="at 30"):
        list(Parts(tmp_path / "parts", workers).map("draw", Draw(fails=30), range(32)))
    log = tmp_path / "log"
    done = len(list((tmp_path / "parts").glob("*.npz")))
    assert done >= 16 if workers == 2 else done == 30
    whole = list(Parts(tmp_path / "parts", workers).map("draw", Draw(log), range(32)))
    assert 30 in lines(log)
    assert len(lines(log)) == 32 - done
    assert all(map(same, whole, Parts().map("draw", Draw(), range(32))))


def test_the_most_expensive_items_come_first(tmp_path: Path) -> None:
    log = tmp_path / "log"
    steps: list[int] = []
    items = [3, 1, 9, 1, 7]
    parts = Parts(tmp_path / "parts", 2).map("draw", Draw(log), items, cost=float, advance=steps.append)
    assert [part["number"] for part in parts] == items
    assert set(lines(log)[:2]) <= {9, 7, 3}
    assert lines(log)[0] in (9, 7)
    assert sorted(steps) == sorted(items)


def test_one_worker_computes_a_part_when_it_is_asked_for() -> None:
    asked: list[int] = []

    def work(number: int) -> dict[str, Any]:
        asked.append(number)
        return {"number": number}

    parts = Parts().map("lazy", work, range(100))
    assert next(parts)["number"] == 0
    assert asked == [0]


@dataclass(frozen=True)
class Heavy:
    """Counts how often it is sent to another process."""

    log: Path
    items: list[int] = field(default_factory=list)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with self.log.open("a") as file:
            file.write("0\n")

    def __call__(self, number: int) -> dict[str, Any]:
        return {"number": number}


def test_work_is_sent_once_a_block(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert len(list(Parts(None, 2).map("heavy", Heavy(log), range(400)))) == 400
    assert len(lines(log)) <= 16


def test_a_purpose_stands_for_one_list_of_items(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    list(parts.map("draw", Draw(), [1]))
    with pytest.raises(ValueError, match="'draw' exist already"):
        parts.map("draw", Draw(), [2])
    (inner,) = parts.within("iid").map("draw", Draw(), [2])
    assert inner["number"] == 2
    assert (tmp_path / "iid" / "draw-0.npz").exists()
    with pytest.raises(ValueError, match="'draw' exist already"):
        parts.within("iid").map("draw", Draw(), [3])


def test_checkpoints_have_a_place_only_where_parts_are_saved(tmp_path: Path) -> None:
    assert Parts().file("fit.pt") is None
    place = Parts(tmp_path / "new").within("a/b").file("fit.pt")
    assert place is not None
    place.write_bytes(b"state")
    assert place.parent.parent == tmp_path / "new"


def test_workers_start_no_workers(tmp_path: Path) -> None:
    sent = pickle.loads(pickle.dumps(Parts(tmp_path, 4)))
    assert (sent.folder, sent.workers) == (tmp_path, 1)


SLOW = """
import os, sys, time
from pathlib import Path
from assay.runs import Parts

class Slow:
    def __call__(self, number):
        time.sleep(0.1)
        with open(sys.argv[2], "a") as file:
            file.write(f"{number} {os.getpid()}\\n")
        return {"square": number * number}

parts = Parts(Path(sys.argv[1]), int(sys.argv[3]))
print([part["square"] for part in parts.map("squares", Slow(), range(24))])
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle_it_goes_on_and_leaves_nobody_behind(tmp_path: Path, workers: int) -> None:
    log, script = tmp_path / "log", tmp_path / "slow.py"
    script.write_text(SLOW.replace("sys.argv[2]", repr(str(log))))
    command = [sys.executable, str(script), str(tmp_path / "parts"), str(log), str(workers)]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not log.exists() or len(log.read_text().splitlines()) < 6:
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    workers_of_it = {int(line.split()[1]) for line in log.read_text().splitlines()} - {killed.pid}
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers_of_it):
            break
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers_of_it)
    before = len(list((tmp_path / "parts").glob("squares-*.npz")))
    done = len(log.read_text().splitlines())
    assert before >= 5
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"{[number * number for number in range(24)]}\n"
    assert len(log.read_text().splitlines()) == done + 24 - before


def test_a_part_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="no room"):
        list(Parts(tmp_path).map("draw", Draw(), [1]))
    assert list(tmp_path.glob("draw-*.npz")) == []


def test_arrays_are_saved_without_pickle(tmp_path: Path) -> None:
    list(Parts(tmp_path).map("draw", Draw(), [1]))
    with np.load(io.BytesIO((tmp_path / "draw-0.npz").read_bytes()), allow_pickle=False) as saved:
        assert all(saved[name].dtype != object for name in saved.files)
