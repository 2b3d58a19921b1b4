"""Every claim of every paper is composed at every scale, and names a metric that runs of that scale measure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import pytest

from assay.config.compose import compose
from assay.report.claims import Claim
from assay.report.known import claims_of, papers
from assay.report.placeholders import filled, filled_claim

SCALES = ("smoke", "laptop", "paper")
NUMBER = re.compile(r"(?<![A-Za-z\d.])(?:[a-z]+_|q)?(\d+(?:\.\d+)?)(?![A-Za-z\d])")
SWEPT = ("task", "valuation")  # groups with the sizes that stand in names of metrics


@functools.cache
def config_of(experiment: str, scale: str, overrides: tuple[str, ...]) -> dict[str, Any]:
    return dict(compose([f"experiment={experiment}", f"scale={scale}", *overrides]).config)


def sizes(config: Mapping[str, Any]) -> dict[str, list[float]]:
    """Numbers of each key that holds a list: what a task sweeps, and names its metrics by."""
    return {
        f"{group}.{key}": [float(entry) for entry in value if isinstance(entry, int | float)]
        for group in SWEPT
        for key, value in config[group].items()
        if isinstance(value, list | tuple)
    }


def names_of(claim: Claim) -> list[str]:
    return [claim.metric, *([claim.minus] if claim.minus else [])]


def moving_numbers(claim: Claim, by_scale: Mapping[str, dict[str, Any]]) -> list[str]:
    """Numbers written out in a claim's metrics that only some scales measure, and placeholders that some have no value for."""
    keys = {scale: sizes(config) for scale, config in by_scale.items()}
    faults = []
    for name in names_of(claim):
        for number in map(float, NUMBER.findall(re.sub(r"\{[^}]*\}", "", name))):
            at = {scale: {key for key, values in each.items() if number in values} for scale, each in keys.items()}
            everywhere = set.intersection(*at.values())
            if any(at.values()) and not everywhere:
                faults.append(f"{claim.id}: {name}: {number:g} is a size at {[s for s, k in at.items() if k]} only")
        faults += [f"{claim.id}: {name} at {s}" for s, config in by_scale.items() if "{" in filled(name, config)]
    return faults


CLAIMS = [claim for paper in papers() for claim in claims_of(paper).claims]


@pytest.mark.parametrize("experiment", sorted({claim.experiment for claim in CLAIMS}))
def test_every_claim_is_judgeable_at_every_scale(experiment: str) -> None:
    faults = []
    for claim in [each for each in CLAIMS if each.experiment == experiment]:
        by_scale = {scale: config_of(claim.experiment, scale, tuple(claim.overrides)) for scale in SCALES}
        for scale, config in by_scale.items():
            assert config["name"] == claim.experiment
            assert config["scale"] == scale
            assert "{" not in filled_claim(claim, config).statement
        faults += moving_numbers(claim, by_scale)
    assert not faults, "\n".join(faults)


def test_a_size_that_moves_with_the_scale_is_seen() -> None:
    by_scale: dict[str, dict[str, Any]] = {
        scale: {"task": {"evaluations": counts, "burn_ins": [0.9]}, "valuation": {}}
        for scale, counts in {"smoke": [4, 8], "laptop": [10, 40]}.items()
    }
    claim = CLAIMS[0]

    def faults(metric: str) -> list[str]:
        return moving_numbers(Claim(**{**claim.__dict__, "id": "c", "metric": metric, "minus": None}), by_scale)

    assert faults("iid/40/auc") == ["c: iid/40/auc: 40 is a size at ['laptop'] only"]
    assert faults("pool_40/r2") == ["c: pool_40/r2: 40 is a size at ['laptop'] only"]
    assert faults("iid/{last task.evaluations}/auc_gain_q0.9") == []
    assert faults("iid/{last task.rounds}/auc") == [f"c: iid/{{last task.rounds}}/auc at {s}" for s in by_scale]
    assert faults("directed/1/r2") == []  # no size of any scale


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iid/{last task.evaluations}/auc", "iid/160/auc"),
        ("{first task.evaluations}-{second task.evaluations}", "10-40"),
        ("psi_{valuation.largest}", "psi_1000"),
        ("{task.name}", "study"),
        ("{task.evaluations} {task} {last task.name} {second task.one} {last task.none} {not this}",) * 2,
        ("{third task.evaluations} {task.flag}",) * 2,
    ],
)
def test_placeholders(text: str, expected: str) -> None:
    task = {"evaluations": [10, 40, 160], "name": "study", "one": [1], "none": [], "flag": True}
    assert filled(text, {"task": task, "valuation": {"largest": 1000}}) == expected
