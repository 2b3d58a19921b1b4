"""The way of a value from the shell to the ledger is short."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.privacy.ledger import Ledger
from house import TOP

LONGEST = 20
SMALL = ["valuation.evaluations=2", "valuation.bootstrap=2", "dataset.split={train: 10, valid: 20, test: 10}"]


@pytest.mark.parametrize("privacy", ["iid", "directed", "running_mean_burn_in"])
def test_epsilon_reaches_the_ledger_through_few_functions(
    privacy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ways: list[list[str]] = []
    charge = Ledger.charge

    def watched(self: Ledger[Any], *arguments: Any, **keywords: Any) -> Any:
        assert self.account.budget.epsilon == 4
        own = [frame for frame in traceback.extract_stack() if str(TOP / "src" / "assay") in frame.filename]
        ways.append([frame.name for frame in own])
        return charge(self, *arguments, **keywords)

    monkeypatch.setattr(Ledger, "charge", watched)
    assert main(["run", "task=value", f"privacy={privacy}", "privacy.epsilon=4", *SMALL]) == 0
    assert ways
    assert max(map(len, ways)) <= LONGEST
