"""The outcome in the run directory: facts from its ledger, released columns, numbers that must be finite."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.errors import AssayError
from assay.runs import (
    Headline,
    Outcome,
    RunContext,
    RunDirectory,
    Shown,
    execute,
    of_account,
)

CONFIG: dict[str, Any] = {
    "name": "paper/study",
    "seed": 0,
    "paths": {"outputs": "outputs"},
    "privacy": {"name": "none"},
}


def answer(context: RunContext) -> Outcome:
    draws = context.streams.generator("answer").normal(size=4)
    table = pd.DataFrame({"id": range(4), "value": draws})
    return Outcome({"mean": float(draws.mean()), "none": math.nan}, {"values": table})


def entry(noise: str = "seeded", **facts: Any) -> dict[str, Any]:
    return {"epsilon": 2.0, "delta": 1e-5, "relation": "zero_out", "noise": noise, **facts}


@pytest.mark.parametrize(
    ("ledger", "facts"),
    [
        ([], {"noise": "none"}),
        ([entry()], {"noise": "seeded", "epsilon": 2.0, "delta": 1e-5, "relation": "zero_out"}),
        ([entry("secure", epsilon=1.0), entry("secure")], {"noise": "secure", "epsilon": 2.0}),
        ([entry("secure"), entry()], {"noise": "seeded"}),  # one repeatable number is enough
        ([{**entry(), "noise": "other"}], {"noise": "seeded"}),
        (
            [*of_account([entry(epsilon=1.0), entry()], "a", 3), *of_account([entry(relation="add_remove")], "b")],
            {"epsilon": 8.0, "delta": 4e-5, "estimates": 4, "epsilon_per_estimate": 2.0},
        ),
    ],
)
def test_the_status_says_what_the_ledger_says(tmp_path: Path, ledger: Any, facts: dict[str, Any]) -> None:
    """The config may ask for anything: only what was charged is a fact."""
    config = {**CONFIG, "privacy": {"name": "iid", "secure_noise": True}}
    run = RunDirectory(execute(config, lambda context: Outcome(ledger=ledger), tmp_path).directory)
    assert facts.items() <= run.status().items()
    written = run.path / "ledger.jsonl"
    assert ([json.loads(line) for line in written.read_text().splitlines()] if ledger else []) == ledger
    assert written.exists() == bool(ledger)
    if not ledger:
        assert "epsilon" not in run.status()


def test_facts_of_the_outcome_reach_the_status_and_cannot_outshout_the_ledger(tmp_path: Path) -> None:
    outcome = Outcome(facts={"release": "for research", "noise": "secure"}, ledger=[entry()])
    status = RunDirectory(execute(CONFIG, lambda context: outcome, tmp_path).directory).status()
    assert (status["release"], status["noise"]) == ("for research", "seeded")


def test_a_private_choice_that_charged_nothing_fails_in_one_line(tmp_path: Path) -> None:
    config = {**CONFIG, "privacy": {"name": "iid"}}
    with pytest.raises(AssayError, match=r"^privacy=iid: no ledger was charged, so that nothing protects the rows \("):
        execute(config, answer, tmp_path, private=True)
    (place,) = (tmp_path / "paper" / "study").iterdir()
    status = RunDirectory(place).status()
    assert status["state"] == "failed"
    assert "no ledger was charged" in status["error"]
    assert "noise" not in status
    assert not (place / "values.parquet").exists()
    charged = execute(config, lambda context: Outcome(ledger=[entry()]), tmp_path, private=True)
    assert charged.fresh


def test_values_that_are_not_numbers_fail_in_one_line(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": range(4), "value": [0.0, math.nan, math.inf, 1.0], "std_error": math.nan})

    def work(context: RunContext) -> Outcome:
        return Outcome(tables={"values": table}, finite={"values": ("value",)})

    config = {**CONFIG, "valuation": {"learning_rate": 3.0}}
    for given, start in ((config, "valuation.learning_rate=3.0: 2 of 4"), (CONFIG, "2 of 4")):
        with pytest.raises(AssayError) as caught:
            execute(given, work, tmp_path)
        assert str(caught.value).startswith(f"{start} numbers in values.value are not finite (")
        assert "\n" not in str(caught.value)
    assert {RunDirectory(place).status()["state"] for place in (tmp_path / "paper" / "study").iterdir()} == {"failed"}


@pytest.mark.parametrize("noise", ["secure", "seeded"])
def test_only_released_columns_are_released_and_only_under_secure_noise(tmp_path: Path, noise: str) -> None:
    table = pd.DataFrame({"id": [0, 1], "value": [0.5, 1.5], "clean": [True, False]})
    outcome = Outcome(
        tables={"values": table, "other": table},
        files={"values.csv": table, "notes.txt": b"note"},
        ledger=[entry(noise)],
        released={"values": ("id", "value")},
        statement=("Values are noisy.", "Ids are public."),
    )
    run = RunDirectory(execute(CONFIG, lambda context: outcome, tmp_path).directory)
    folder = run.path / ("release" if noise == "secure" else "rehearsal")
    assert sorted(file.name for file in folder.iterdir()) == ["STATEMENT.md", "values.csv"]
    assert (folder / "values.csv").read_text() == "id,value\n0,0.5\n1,1.5\n"
    assert (folder / "STATEMENT.md").read_text().endswith("* Values are noisy.\n* Ids are public.\n")
    assert run.status()["statement"] == ["Values are noisy.", "Ids are public."]
    assert (run.path / "values.csv").read_text().startswith("id,value,clean\n")
    assert (run.path / "notes.txt").read_bytes() == b"note"
    assert not (run.path / ("rehearsal" if noise == "secure" else "release")).exists()


def test_the_headline_comes_back_as_it_was(tmp_path: Path) -> None:
    shown = Shown("the lowest", "values", ("id", "value"), (3, 1), {"value": ("ci_low", "ci_high")}, "costs")
    headline = Headline((shown, Shown("all", "slopes")), ("mean",), ("value: utility",), (Shown("more", "values"),))
    run = RunDirectory(execute(CONFIG, lambda context: Outcome(headline=headline), tmp_path).directory)
    assert run.headline() == headline
    plain = RunDirectory(execute({**CONFIG, "seed": 1}, answer, tmp_path).directory)
    assert plain.headline() == Headline((Shown("table values", "values", rows=(0, 1, 2, 3)),), ("mean", "none"))
    (plain.path / "headline.json").unlink()
    assert plain.headline() == Headline()  # a run of an older assay
