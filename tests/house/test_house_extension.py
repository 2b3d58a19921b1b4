"""One option of each kind is added from a package outside assay, with no edit in assay: checked, run and reported."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.own_package import write_package

from assay.cli import main

RUNS = {
    "valuation": ["valuation=distance", "dataset=breast_cancer"],
    "mechanism": ["privacy=uneven", "valuation.evaluations=3", "dataset=diabetes", "dataset.split.train=20"],
    "model": [
        "model=neighbours",
        "valuation=semivalue",
        "valuation.evaluations=2",
        "dataset=rings",
        "dataset.split.train=12",
    ],
    "task": ["task=spread", "valuation=distance", "dataset=breast_cancer"],
    "dataset": ["dataset=rings", "valuation.evaluations=2"],
    "logger": ["logger=lines", "valuation=distance", "dataset=breast_cancer"],
}
REFUSALS = [
    ("valuation=distance valuation.powr=2", "valuation.powr=2: unknown key (did you mean valuation.power?)"),
    ("valuation=distance valuation.power=0", "valuation.power=0: must be > 0 (1 is the distance itself)"),
    ("valuation=distance dataset=wine", "valuation=distance: knows no wine (use another dataset)"),
    ("valuation=distance privacy=iid", "privacy=iid: valuation=distance accounts for no release"),
    ("privacy=uneven privacy.tilt=-1", "privacy.tilt=-1: must be > 0"),
    ("privacy=uneven valuation=distance", "privacy=uneven: valuation=distance accounts for no release"),
    ("privacy=uneven task=train model=mlp dataset=digits", "privacy=uneven: task=train accounts for"),
    ("model=neighbours model.count=0", "model.count=0: must be > 0"),
    ("model=neighbours dataset=diabetes valuation=semivalue", "model=neighbours: "),
    ("model=neighbours dataset=rings", "valuation=gradient_semivalue: follows gradients and model=neighbours has none"),
    ("task=spread task.abov=2", "task.abov=2: unknown key (did you mean task.above?)"),
    ("dataset=rings dataset.radius=0", "dataset.radius=0: must be > 0"),
    ("dataset=rings dataset.split.tran=3", "dataset.split.tran=3: unknown key (did you mean dataset.split.train?)"),
    ("logger=lnes", "logger=lnes: unknown option (did you mean logger=lines?)"),
    ("logger=lines logger.save_dr=x", "logger.save_dr=x: unknown key (did you mean logger.save_dir?)"),
    ("logger=csv logger.save_dr=x", "logger.save_dr=x: unknown key (did you mean logger.save_dir?)"),
    ("logger=lightning", "logger.target=null: needs the class of your logger"),
]


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the user's options; the module is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield write_package(tmp_path)
    sys.modules.pop("own_methods", None)


def assay(options: Path, *overrides: str) -> int:
    return main(["run", "--config-dir", str(options), "task=value", *overrides])


@pytest.mark.parametrize("kind", RUNS)
def test_an_own_option_is_run_and_reported(kind: str, options: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert assay(options, *RUNS[kind], "report=true") == 0
    output = capfd.readouterr().out
    page, directory = (Path(line.split(": ", 1)[1]) for line in output.splitlines()[-2:])
    assert page.is_file()
    status = json.loads((directory / "status.json").read_text())
    assert status["state"] == "finished"
    assert status["noise"] == ("seeded" if kind == "mechanism" else "none")
    if kind == "mechanism":
        assert status["epsilon"] == pytest.approx(4.0, rel=1e-6)
        assert status["epsilon"] <= 4.0
    if kind == "logger":
        lines = Path("outputs/lines/lines.jsonl").read_text().splitlines()
        assert json.loads(lines[-1]) == json.loads((directory / "metrics.json").read_text())


@pytest.mark.parametrize(("overrides", "line"), REFUSALS)
def test_a_mistake_in_an_own_option_is_one_line(
    overrides: str, line: str, options: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert assay(options, *overrides.split()) == 2
    said = capfd.readouterr()
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert not Path("outputs").exists()


def test_a_method_that_charges_nothing_ends_as_an_error(options: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert assay(options, "valuation=pretended", "privacy=iid", "dataset=diabetes") == 2
    assert "no ledger was charged" in capfd.readouterr().err
    states = [json.loads(file.read_text())["state"] for file in Path("outputs").rglob("status.json")]
    assert states == ["failed"]


def test_an_own_option_competes_in_a_comparison(options: Path, capfd: pytest.CaptureFixture[str]) -> None:
    contenders = "task.contenders=[none,uneven,distance,{tilted: {privacy: {option: uneven, tilt: 9}}}]"
    small = ["dataset.split={train: 16, valid: 40, test: 40}", "scale=smoke", "dataset.corruption.labels=0.3"]
    assert assay(options, "task=label_noise", "dataset=diabetes", "privacy=uneven", contenders, *small) == 0
    directory = Path(capfd.readouterr().out.splitlines()[-1].split(": ", 1)[1])
    metrics = json.loads((directory / "metrics.json").read_text())
    for name in ("none", "uneven", "distance", "tilted"):
        assert any(key.startswith(f"{name}/") for key in metrics)
