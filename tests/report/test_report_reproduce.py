"""A paper's claims from runs: each run once, resumable, and a verdict for each claim."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.errors import AssayError, InputError
from assay.report.known import claims_of
from assay.report.reproduce import reproduce

EXPERIMENT = "private_valuation/estimation_uncertainty"


OF_UNCERTAINTY = [claim.id for claim in claims_of("private_valuation").claims if claim.experiment == EXPERIMENT]


class Runner:
    """Stands in for `assay run`: writes a run directory for new overrides, returns the old one for known ones."""

    def __init__(self, make_run: Any) -> None:
        self.make_run, self.asked, self.made = make_run, [], {}  # type: ignore[var-annotated]

    def __call__(self, overrides: list[str]) -> Path:
        self.asked.append(overrides)
        key = tuple(sorted(overrides))
        if key not in self.made:
            words = dict(word.split("=", 1) for word in overrides)
            assert words.pop("experiment") == EXPERIMENT, "claims on other experiments are not asked for here"
            small = words["scale"] == "smoke"
            self.made[key] = self.make_run(
                int(words["seed"]),
                evaluations=(4, 8) if small else (10, 40, 160),
                scale=words["scale"],
                seeds=2 if small else 3,
                privacy__epsilon=float(words["privacy.epsilon"]),
            )
        return self.made[key]


@pytest.fixture
def runner(make_run: Any) -> Runner:
    return Runner(make_run)


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "claims.csv").open() as file:
        return {row["claim"]: row for row in csv.DictReader(file)}


def call(runner: Runner, outputs: Path, **changes: Any) -> Path:
    given = {"paper": "private_valuation", "scale": "laptop", "seeds": 2, "claims": OF_UNCERTAINTY, "run": runner}
    return reproduce(**{**given, "outputs": outputs, **changes})


def test_each_distinct_run_is_asked_for_once(runner: Runner, tmp_path: Path) -> None:
    call(runner, tmp_path)
    assert len(runner.asked) == 4  # two budgets, two seeds, for thirteen claims
    assert sorted(sorted(words) for words in runner.asked) == sorted(
        sorted([f"experiment={EXPERIMENT}", "scale=laptop", f"seed={seed}", f"privacy.epsilon={epsilon}"])
        for seed in (0, 1)
        for epsilon in ("8.0", "1.0")
    )


def test_report_folder_and_verdicts(runner: Runner, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Slopes are 0.8 and 0.81: above 0.5 for sure, around 0.8 not."""
    folder = call(runner, tmp_path)
    assert folder == tmp_path / "reports" / "private_valuation"
    rows = rows_of(folder)
    assert len(rows) == 13
    assert rows["iid_slope_epsilon_8"]["verdict"] == "reproduced"
    assert rows["iid_slope_epsilon_1"]["verdict"] == "inconclusive"
    assert float(rows["burn_in_beats_iid_fidelity"]["value"]) == pytest.approx(0.3)
    assert rows["ceiling_iid"]["command"] == (
        "assay reproduce private_valuation --scale laptop --seeds 2 --claims ceiling_iid"
    )
    assert {"index.html", "claims.csv", "summary.csv", "claims.png"} <= {file.name for file in folder.iterdir()}
    printed = capsys.readouterr().out
    assert "iid_slope_epsilon_1" in printed
    assert "only part of the interval is at least 0.8" in printed


def test_a_second_call_reuses_every_run(runner: Runner, tmp_path: Path) -> None:
    folder = call(runner, tmp_path)
    before = (folder / "claims.csv").read_bytes(), (folder / "index.html").read_bytes()
    made = len(runner.made)
    call(runner, tmp_path)
    assert len(runner.made) == made
    assert ((folder / "claims.csv").read_bytes(), (folder / "index.html").read_bytes()) == before


def test_claims_filter_and_only_their_runs(runner: Runner, tmp_path: Path) -> None:
    folder = call(runner, tmp_path, claims=["ceiling_iid"])
    assert list(rows_of(folder)) == ["ceiling_iid"]
    assert {word for words in runner.asked for word in words if "epsilon" in word} == {"privacy.epsilon=1.0"}


def test_smoke_leaves_claims_at_k_160_not_comparable(runner: Runner, tmp_path: Path) -> None:
    rows = rows_of(call(runner, tmp_path, scale="smoke"))
    incomparable = {name for name, row in rows.items() if row["verdict"] == "not comparable"}
    assert incomparable == {
        "burn_in_beats_iid_fidelity",
        "burn_in_beats_iid_detection",
        "ceiling_iid",
        "ceiling_running_mean",
        "ceiling_burn_in",
    }


def test_runs_are_named_ahead_so_that_they_can_be_carried_out_together(runner: Runner, tmp_path: Path) -> None:
    named: list[list[str]] = []
    call(runner, tmp_path, ahead=named.extend)
    assert sorted(map(sorted, named)) == sorted(map(sorted, runner.asked))


def test_one_seed_decides_nothing(runner: Runner, tmp_path: Path) -> None:
    assert {row["verdict"] for row in rows_of(call(runner, tmp_path, seeds=1)).values()} == {"inconclusive"}


@pytest.mark.parametrize(("scale", "seeds"), [("laptop", 3), ("smoke", 2)])
def test_without_a_number_the_scale_says_how_many_seeds(runner: Runner, tmp_path: Path, scale: str, seeds: int) -> None:
    call(runner, tmp_path, scale=scale, seeds=None, claims=["ceiling_iid"])
    assert len(runner.asked) == seeds


def test_unknown_names_end_before_any_run(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean private_valuation"):
        call(runner, tmp_path, paper="private_valuatoin")
    with pytest.raises(InputError, match=r"claims=celing_iid: no such claim \(did you mean ceiling_iid\?\)"):
        call(runner, tmp_path, claims=["celing_iid"])
    with pytest.raises(InputError, match="seeds=0: must be at least 1"):
        call(runner, tmp_path, seeds=0)
    assert runner.asked == []


def test_claims_come_from_the_given_root(runner: Runner, tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    (root / "mine").mkdir(parents=True)
    claim = {"id": "a", "statement": "s", "source": "derived", "where": "w", "metric": "iid/slope"}
    claim |= {"experiment": EXPERIMENT, "settings": {"privacy.epsilon": 8.0}, "rule": {"at_most": 0.5}}
    (root / "mine" / "claims.yaml").write_text(yaml.safe_dump({"paper": "mine", "reference": "r", "claims": [claim]}))
    rows = rows_of(call(runner, tmp_path, paper="mine", experiments_root=root, claims=None))
    assert rows["a"]["verdict"] == "not reproduced"
    with pytest.raises(InputError, match="did you mean mine"):
        call(runner, tmp_path, paper="mien", experiments_root=root)


def test_a_check_sees_a_run_of_each_experiment_and_may_stop_all(runner: Runner, tmp_path: Path) -> None:
    def refuse(runs: list[list[str]]) -> None:
        assert [run[0] for run in runs] == [f"experiment={EXPERIMENT}"] * len(runs)
        assert len({tuple(run) for run in runs}) == len(runs) > 0
        raise AssayError("2 to fetch: adult, mnist")

    with pytest.raises(AssayError, match="2 to fetch"):
        call(runner, tmp_path, check=refuse)
    assert runner.asked == []


def test_a_run_that_failed_stops_the_reproduction(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="the run is failed"):
        call(lambda overrides: make_run(0, state="failed"), tmp_path)  # type: ignore[arg-type]
