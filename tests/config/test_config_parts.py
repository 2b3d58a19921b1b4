"""Suggestions, typed values and listing by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import listing
from assay.config.limits import above, at_least, inside, share
from assay.config.suggest import did_you_mean, nearest
from assay.config.typed import shown, typed
from assay.errors import InputError


@dataclass(frozen=True)
class Inner:
    size: Annotated[int, at_least(2, "two or more")]


@dataclass(frozen=True)
class Outer:
    rate: Annotated[float | None, above(0, "positive")]
    kind: Literal["red", "blue"]
    devices: int | str
    inner: Inner
    names: dict[str, Literal["a", "b"]]


GOOD: dict[str, Any] = {"rate": 1, "kind": "red", "devices": "auto", "inner": {"size": 2}, "names": {"x": "a"}}


def test_good_values_pass_in_their_order_with_their_types() -> None:
    given_order = dict(reversed(GOOD.items()))
    checked = typed(Outer, given_order)
    assert checked == {**GOOD, "rate": 1.0}
    assert list(checked) == list(given_order)
    assert isinstance(checked["rate"], float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0}, "x.rate=0: must be > 0 (positive)"),
        ({"kind": "blu"}, "x.kind=blu: must be one of red, blue (did you mean blue?)"),
        ({"kind": True}, "x.kind=true: must be one of red, blue (e.g. red)"),
        ({"inner": {"size": 1}}, "x.inner.size=1: must be >= 2 (two or more)"),
        ({"inner": {"size": 2, "sze": 1}}, "x.inner.sze=1: unknown key (did you mean x.inner.size?)"),
        ({"inner": {}}, "x.inner.size=: missing (give x.inner.size a value)"),
        ({"names": {"y": "c"}}, "x.names.y=c: must be one of a, b (e.g. a)"),
        ({"devices": None}, "x.devices=null: must be a text, null (e.g. x.devices=name)"),
    ],
)
def test_a_bad_value_names_its_key_in_full(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        typed(Outer, {**GOOD, **change}, "x.")
    assert str(caught.value) == message


def test_null_passes_where_it_may() -> None:
    assert typed(Outer, {**GOOD, "rate": None})["rate"] is None


def test_builder_keys_pass_everywhere() -> None:
    values = {**GOOD, "_target_": "a.B", "inner": {"size": 2, "_partial_": True}}
    assert typed(Outer, values)["inner"] == {"size": 2, "_partial_": True}


@given(st.floats(allow_nan=True))
def test_limits_hold_exactly_on_their_side(value: float) -> None:
    assert above(0, "").holds(value) == (0 < value < float("inf"))
    assert at_least(0, "").holds(value) == (0 <= value < float("inf"))
    assert inside(0, 1, "").holds(value) == (0 < value < 1)
    assert share("").holds(value) == (0 <= value <= 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), ([1, "a"], "[1,a]"), ({"a": None}, "{a:null}"), (1e-5, "1e-05"), ("x", "x")],
)
def test_values_are_shown_as_one_writes_them(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("epslon", ["delta", "epsilon"], "epsilon"),
        ("uncertanty", ["quickstart", "paper/uncertainty"], "paper/uncertainty"),
        ("zzz", ["epsilon"], None),
        ("x", [], None),
    ],
)
def test_the_nearest_name(word: str, known: list[str], near: str | None) -> None:
    assert nearest(word, known) == near


def test_a_remedy_lists_what_there_is_when_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["a", "b"]) == "one of a, b"


def test_listing_reads_comments_and_leaves_out_shared_files(tmp_path: Path) -> None:
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "_base.yaml").write_text("# shared\n")
    (tmp_path / "model" / "b.yaml").write_text("# The second\nname: b  # not this\n")
    (tmp_path / "model" / "a.yaml").write_text("name: a\n# too late\n")
    (tmp_path / "model" / "deep" / "c.yaml").write_text("# @package _global_\n# The third\n")
    assert listing.options("model", tmp_path) == [("a", ""), ("b", "The second"), ("deep/c", "The third")]
    (tmp_path / "config.yaml").write_text("defaults:\n  - model: b\n  - _self_\n  - override hydra/job_logging: none\n")
    assert listing.defaults(tmp_path) == {"model": "b"}
    assert listing.groups(tmp_path) == {"model": ["a", "b", "deep/c"]}
