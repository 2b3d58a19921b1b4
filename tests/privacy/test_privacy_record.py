"""The ledger's file: killed at any byte and resumed, it ends with the bytes of an undisturbed run."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.privacy.accounting.renyi import RdpAccountant
from assay.privacy.accounting.training import NoisySteps, TrainingAccount
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.poisson import PoissonSampler
from assay.privacy.record import Record
from assay.privacy.relations import Relation, Sensitivity

RDP = RdpAccountant()
STEP = NoisySteps(1.5, PoissonSampler(100, 0.05, lambda step: np.random.default_rng(step)), count=10)


def open_ledger(path: Path) -> Ledger[NoisySteps]:
    budget = Budget(3.0, 1e-5, Relation.ADD_REMOVE)
    return Ledger(TrainingAccount(budget, Sensitivity(1.0, Relation.ADD_REMOVE), RDP), path)


def train(ledger: Ledger[NoisySteps], first: int, last: int) -> list[dict[str, Any]]:
    """Rounds of charged and noted steps; returns the checkpoint after each."""
    states = []
    for number in range(first, last):
        ledger.charge(STEP)
        ledger.note(noise="seeded", round=number)
        states.append(json.loads(json.dumps(ledger.state_dict())))
    return states


def test_a_kill_at_every_byte_of_the_last_line_leaves_no_trace(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    states = train(open_ledger(whole), 0, 6)
    expected = whole.read_bytes()
    start = expected.rindex(b"\n", 0, len(expected) - 1) + 1
    assert len(expected) - start > 40
    for length in range(start, len(expected) + 1):
        path = tmp_path / "killed.jsonl"
        path.write_bytes(expected[:length])
        resumed = open_ledger(path)
        resumed.load_state_dict(states[3])  # the checkpoint is older than the file by a line and a part
        assert path.read_bytes() == "".join(states[3]["record"]["lines"]).encode()
        train(resumed, 4, 6)
        assert path.read_bytes() == expected
        assert resumed.entries == [json.loads(line) for line in expected.splitlines()]


def test_a_run_killed_before_its_first_checkpoint_starts_over(tmp_path: Path) -> None:
    path, whole = tmp_path / "ledger.jsonl", tmp_path / "whole.jsonl"
    train(open_ledger(whole), 0, 2)
    path.write_bytes(whole.read_bytes()[:-7])
    train(open_ledger(path), 0, 2)
    assert path.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("lost", ["all", "a line", "a byte"])
def test_what_a_moved_run_has_lost_comes_back_from_the_checkpoint(tmp_path: Path, lost: str) -> None:
    path = tmp_path / "ledger.jsonl"
    states = train(open_ledger(path), 0, 3)
    expected = path.read_bytes()
    if lost == "all":
        path.unlink()
    else:
        path.write_bytes(expected[:-1] if lost == "a byte" else expected[: expected.index(b"\n") + 1])
    open_ledger(path).load_state_dict(states[2])
    assert path.read_bytes() == expected
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_the_record_of_another_run_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    states = train(open_ledger(path), 0, 2)
    path.write_bytes(b'{"round": 99}\n')
    with pytest.raises(ValueError, match="holds the record of another run"):
        open_ledger(path).load_state_dict(states[1])
    assert path.read_bytes() == b'{"round": 99}\n'


def test_a_refused_release_is_not_in_the_file(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.jsonl")
    train(ledger, 0, 2)
    before = (tmp_path / "ledger.jsonl").read_bytes()
    with pytest.raises(OverspentError):
        ledger.charge(NoisySteps(STEP.noise_multiplier, STEP.sampler, 10**6))
    assert (tmp_path / "ledger.jsonl").read_bytes() == before
    assert ledger.account.totals()["steps"] == 20


def test_a_line_is_on_disk_when_it_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that stays in a buffer dies with the process: every note is followed by fsync."""
    sizes: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (sizes.append(os.fstat(file).st_size), fsync(file)))
    record = Record(tmp_path / "ledger.jsonl")
    for number in range(3):
        record.append({"round": number})
        assert sizes[-1] == (tmp_path / "ledger.jsonl").stat().st_size == 13 * (number + 1)


def test_an_entry_that_is_not_json_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    record = Record(tmp_path / "ledger.jsonl")
    record.append({"round": 0})
    with pytest.raises(ValueError, match="JSON"):
        record.append({"epsilon": math.inf})
    assert (tmp_path / "ledger.jsonl").read_text() == '{"round": 0}\n'
    assert record.entries == [{"round": 0}]


def test_without_a_path_the_record_is_in_memory_alone(tmp_path: Path) -> None:
    record, other = Record(), Record()
    record.append({"b": 1, "a": [2]})
    other.load_state_dict(record.state_dict())
    assert other.entries == [{"a": [2], "b": 1}]
    other.append({"c": 3})
    assert len(record.entries) == 1
    assert not list(tmp_path.iterdir())
