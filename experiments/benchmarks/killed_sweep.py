"""A sweep of 200 short runs under 10 kills of parent and workers: what is lost, done twice, changed, or left running."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from experiments.benchmarks.timing import REPORTS

CELLS = ["valuation=semivalue", "valuation.evaluations=4,8", "seed=range(100)", "dataset.rows=40"]
KILLS, ORPHAN_SECONDS = 10, 10.0
RESULTS = ("values.parquet", "values.csv", "headline.json")  # the other files name times


def start(outputs: Path, workers: int) -> subprocess.Popen[bytes]:
    """Starts the sweep as a new session, so that whatever it leaves behind can be seen."""
    command = [sys.executable, "-m", "assay", "run", "-m", *CELLS, f"workers={workers}", f"paths.outputs={outputs}"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, start_new_session=True, **silent)


def family(session: int) -> list[int]:
    """Processes of a session, without those that have ended and wait to be reaped."""
    rows = subprocess.run(["ps", "-eo", "pid=,sid=,stat="], capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in rows.splitlines()]
    return [int(pid) for pid, of, state in fields if int(of) == session and not state.startswith("Z")]


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Worker processes that compute parts."""
    pids = [pid for pid in family(process.pid) if pid != process.pid]
    return [pid for pid in pids if b"popen_loky" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def finished(outputs: Path) -> dict[str, str]:
    """Fingerprint and closing time of each finished run."""
    closed = {}
    for file in outputs.glob("runs/*/*/status.json"):
        status = json.loads(file.read_text())
        if status["state"] == "finished":
            closed[file.parent.name] = status["finished"]
    return closed


def kill(outputs: Path, draw: random.Random, number: int) -> tuple[str, int]:
    """Starts the sweep, kills it somewhere, and returns the victim and the orphans that are left after 10 s."""
    process, before = start(outputs, workers=2), len(finished(outputs))
    goal = before + draw.randint(8, 16)
    while process.poll() is None and len(finished(outputs)) < goal:
        time.sleep(0.05)
    time.sleep(draw.random())
    victim = "worker" if number % 2 else "parent"
    pids = workers_of(process) if number % 2 else [process.pid]
    while victim == "worker" and not pids and process.poll() is None:
        pids = workers_of(process)
    os.kill(draw.choice(pids), signal.SIGTERM if number % 4 == 2 else signal.SIGKILL)
    if victim == "worker":  # the cell fails in one line, and the sweep goes on
        time.sleep(2.0)
        process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + ORPHAN_SECONDS
    while family(process.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    return victim, len(family(process.pid))


def main() -> None:
    """Carries the sweep out undisturbed and under kills, and prints a line of counts."""
    place = REPORTS / "killed_sweep"
    undisturbed, disturbed = start(place / "undisturbed", workers=1), place / "disturbed"
    draw, orphans, again = random.Random(0), 0, 0
    for number in range(KILLS):
        before = finished(disturbed)
        victim, left = kill(disturbed, draw, number)
        after = finished(disturbed)
        orphans += left
        again += sum(after.get(name) != when for name, when in before.items())
        print(f"kill {number + 1} ({victim}): {len(after)} finished, {left} orphans", flush=True)
    before = finished(disturbed)
    start(disturbed, workers=2).wait()
    undisturbed.wait()
    after, whole = finished(disturbed), finished(place / "undisturbed")
    again += sum(after.get(name) != when for name, when in before.items())
    again += len(list(disturbed.glob("runs/*/*.[0-9]")))
    changed = sum(
        (disturbed / "runs" / "value" / name / file).read_bytes()
        != (place / "undisturbed" / "runs" / "value" / name / file).read_bytes()
        for name in whole
        for file in RESULTS
        if name in after and (place / "undisturbed" / "runs" / "value" / name / file).is_file()
    )
    lost = len(whole.keys() - after.keys())
    print(f"{len(whole)} cells, {KILLS} kills: {lost} lost, {again} twice, {changed} changed, {orphans} orphans")


if __name__ == "__main__":
    main()
