"""claims.yaml is checked on reading; what ships is valid and honest about where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.errors import AssayError, InputError
from assay.report.claims import Claim, read_claims, select_claims
from assay.report.known import claims_of, papers

GOOD: dict[str, Any] = {
    "id": "a",
    "statement": "It grows",
    "source": "reviewers",
    "where": "Fig. 1",
    "paper_value": None,
    "paper_text": "Omega(k)",
    "experiment": "p/e",
    "settings": {"privacy.epsilon": 8.0, "dataset": "wine", "task.list": [1, 2], "flag": True, "nothing": None},
    "metric": "iid/slope",
    "rule": {"at_least": 0.5},
}


def write(folder: Path, *claims: dict[str, Any], **top: Any) -> Path:
    file = folder / "claims.yaml"
    file.write_text(yaml.safe_dump({"paper": "p", "reference": "Somebody", "claims": list(claims), **top}))
    return file


def test_reads_what_is_written(tmp_path: Path) -> None:
    read = read_claims(write(tmp_path, GOOD, {**GOOD, "id": "b", "minus": "m", "beyond": True, "paper_value": 3}))
    assert (read.paper, read.reference) == ("p", "Somebody")
    first, second = read.claims
    assert (first.rule.low, first.comparable, first.beyond, first.paper_value) == (0.5, True, False, None)
    assert (second.minus, second.beyond, second.paper_value) == ("m", True, 3.0)
    assert first.overrides == ["dataset=wine", "flag=true", "nothing=null", "privacy.epsilon=8.0", "task.list=[1,2]"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrik": "x"}, "unknown key metrik (did you mean metric?)"),
        ({"rule": {"at_leest": 1}}, "unknown key at_leest (choose from: at_least, at_most, between)"),
        ({"rule": {"at_least": 1, "at_most": 2}}, "must be one of"),
        ({"rule": 0.5}, "must be one of"),
        ({"rule": {"at_least": "much"}}, "finite number, found 'much'"),
        ({"rule": {"at_least": True}}, "finite number"),
        ({"rule": {"at_most": float("nan")}}, "finite number"),
        ({"rule": {"between": [1]}}, "between needs two numbers"),
        ({"rule": {"between": [2, 1]}}, "is empty"),
        ({"metric": None}, "metric is missing"),
        ({"statement": "  "}, "statement must be text"),
        ({"source": "everybody knows"}, "must begin with paper, reviewers or derived"),
        ({"paper_value": "0.6"}, "paper_value must be a number"),
        ({"comparable": "no"}, "must be true or false"),
        ({"comparable": False}, "needs a reason"),
        ({"settings": [1]}, "settings: must be keys with values"),
    ],
)
def test_a_wrong_claim_is_one_line_that_names_place_and_remedy(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    file = write(tmp_path, {**GOOD, **change})
    with pytest.raises(AssayError) as raised:
        read_claims(file)
    message = str(raised.value)
    assert said in message
    assert "claims[0] (a)" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be keys with values"),
        ("paper: p\nreference: r\nclaims: []\n", "at least one claim"),
        ("paper: p\nclaims: [{}]\n", "reference is missing"),
        ("paper: p\nreference: r\nclaim: []\n", "unknown key claim (did you mean claims?)"),
        ("paper: [\n", "not YAML"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "claims.yaml").write_text(text)
    with pytest.raises(AssayError) as raised:
        read_claims(tmp_path / "claims.yaml")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="claim id a stands twice"):
        read_claims(write(tmp_path, GOOD, GOOD))


def test_selection_keeps_the_order_of_the_file_and_suggests(tmp_path: Path) -> None:
    claims = read_claims(write(tmp_path, GOOD, {**GOOD, "id": "slope"}, {**GOOD, "id": "c"})).claims
    assert [claim.id for claim in select_claims(claims, ["c", "a"])] == ["a", "c"]
    assert len(select_claims(claims, None)) == len(select_claims(claims, [])) == 3
    with pytest.raises(InputError, match=r"claims=slpe: no such claim \(did you mean slope\?\)"):
        select_claims(claims, ["slpe"])


def test_unknown_paper_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean private_valuation"):
        claims_of("private_valuaton")


def shipped() -> list[Claim]:
    return [claim for paper in papers() for claim in claims_of(paper).claims]


def test_private_valuation_ships_with_claims() -> None:
    rules = {claim.id: str(claim.rule) for claim in claims_of("private_valuation").claims}
    assert rules["iid_slope_epsilon_8"] == "at least 0.5"
    assert rules["iid_slope_epsilon_1"] == "at least 0.8"
    assert rules["burn_in_slope_epsilon_8"] == rules["burn_in_slope_epsilon_1"] == "between -0.15 and 0.15"
    assert rules["ceiling_iid"] == "at most 0.648"


@pytest.mark.parametrize("claim", shipped(), ids=lambda claim: claim.id)
def test_shipped_claim_pins_its_settings_and_says_what_the_paper_says(claim: Claim) -> None:
    assert claim.settings, "a claim without settings would take in runs of any setting"
    assert (
        claim.paper_value is not None
        or claim.paper_text
        or claim.beyond
        or claim.source.startswith(("reviewers", "derived"))
    )
