"""Lock, progress and cost by themselves."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.runs import provenance
from assay.runs.cost import Cost, Meter
from assay.runs.directory import write_atomically
from assay.runs.lock import locked
from assay.runs.progress import Progress


def test_the_lock_file_is_gone_afterwards_even_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def fail() -> None:
        with locked(path, pytest.fail):
            assert str(os.getpid()) in path.read_text()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not path.exists()
    with locked(path, pytest.fail):
        pass


def test_a_lock_file_left_by_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text('{"pid": 1, "host": "gone", "since": "long ago"}')
    with locked(path, pytest.fail):
        assert "gone" not in path.read_text()


def test_processes_hold_the_lock_one_at_a_time(tmp_path: Path) -> None:
    # each adds one to a number that it reads, waits and writes: any overlap loses a step
    code = (
        "import sys,time; from pathlib import Path; from assay.runs.lock import locked\n"
        "for _ in range(20):\n"
        "    with locked(Path(sys.argv[1]), lambda holder: None):\n"
        "        file = Path(sys.argv[2]); number = int(file.read_text()); time.sleep(0.002)\n"
        "        file.write_text(str(number + 1))\n"
    )
    count = tmp_path / "count"
    count.write_text("0")
    command = [sys.executable, "-c", code, str(tmp_path / "lock"), str(count)]
    started = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert count.read_text() == "60"


def test_workers_that_outlive_a_killed_holder_do_not_keep_the_lock(tmp_path: Path) -> None:
    code = (
        "import os,signal,sys,time; from pathlib import Path; from assay.runs.lock import locked\n"
        "with locked(Path(sys.argv[1]), print):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        time.sleep(60); os._exit(0)\n"
        "    print(child, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    worker = int(holder.stdout.readline())
    holder.wait()
    try:
        with locked(tmp_path / "lock", pytest.fail):
            os.kill(worker, 0)  # the worker is alive, and the lock is ours
    finally:
        os.kill(worker, signal.SIGKILL)


def test_progress_is_silent_off_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    ticks: list[int] = []
    progress = Progress(wanted=True, tick=lambda: ticks.append(1))
    with progress.task("work", 3) as handle:
        for _ in range(3):
            handle.advance()
    progress.close()
    said = capfd.readouterr()
    assert said.out + said.err == ""
    assert len(ticks) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("wanted", [True, False])
def test_progress_shows_on_a_terminal_when_wanted(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = Progress(wanted)
    handle = progress.task("permutations", 2)
    handle.advance()
    progress.close()
    assert ("permutations" in terminal.getvalue()) == wanted
    assert ("left" in terminal.getvalue()) == wanted


def test_the_meter_counts_time_processor_and_children() -> None:
    meter = Meter()
    begin, processor = time.perf_counter(), time.process_time()
    subprocess.run([sys.executable, "-c", "while __import__('time').process_time() < 0.3: pass"], check=True)
    elapsed, own = time.perf_counter() - begin, time.process_time() - processor
    cost = meter.cost()
    assert elapsed <= cost.seconds < elapsed + 0.5
    assert 0.28 <= cost.cpu_seconds - own < cost.seconds + 0.1  # clock ticks of 10 ms
    assert 5 < cost.peak_memory_mb < 100_000


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells of running children")
def test_the_meter_counts_workers_that_still_run() -> None:
    meter = Meter()
    processor = time.process_time()
    code = (
        "import time; block = bytearray(b'x') * (300 * 2**20); time.sleep(0.1)\n"
        "while time.process_time() < 0.5: pass\n"
        "print('done', flush=True); input()"
    )
    command = [sys.executable, "-c", code]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "done\n"
    running, own = meter.cost(), time.process_time() - processor
    worker.communicate("\n")
    ended = meter.cost()
    assert 0.47 <= running.cpu_seconds - own < 2
    assert running.peak_memory_mb > 300
    assert ended.cpu_seconds >= running.cpu_seconds - 0.03  # not lost, and not counted twice
    assert ended.cpu_seconds < running.cpu_seconds + 0.4


def test_memory_counts_though_it_was_given_back() -> None:
    meter = Meter()
    before = meter.cost().peak_memory_mb
    block = bytearray(os.urandom(1)) * (200 * 2**20)
    del block
    assert meter.cost().peak_memory_mb >= before + 150


def test_costs_add_and_the_larger_peak_stays() -> None:
    assert Cost(1, 2, 30).plus(Cost(4, 8, 16)) == Cost(5, 10, 30)


def test_versions_name_only_what_is_installed() -> None:
    versions = provenance.versions()
    assert versions["python"].startswith("3.")
    assert all(versions.values())


def test_write_atomically_keeps_the_old_file_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "metrics.json"
    write_atomically(file, b"old")

    def refuse(descriptor: int) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="no room"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
