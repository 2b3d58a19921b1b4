"""dataset.classes: some classes of a dataset, renumbered or merged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_helpers import options, settings, streams

from assay.data import prepare
from assay.data.changes import with_classes, with_kind
from assay.data.dataset import ID, TARGET
from assay.data.loaders.bundled import diabetes, digits, wine
from assay.errors import InputError


@pytest.mark.parametrize(
    ("classes", "names", "rule"),
    [
        (["8", "3"], ("8", "3"), lambda digit: {8: 0, 3: 1}.get(digit, -1)),
        ([["0", "2", "4", "6", "8"], ["1", "3", "5", "7", "9"]], ("0+2+4+6+8", "1+3+5+7+9"), lambda digit: digit % 2),
        ([["1"], ["7", "2"]], ("1", "7+2"), lambda digit: {1: 0, 7: 1, 2: 1}.get(digit, -1)),
    ],
)
def test_classes_are_renumbered_in_their_order(classes: Any, names: tuple[str, ...], rule: Any) -> None:
    everything = digits()
    chosen = with_classes(everything, classes)
    expected = np.array([rule(digit) for digit in everything.numbers(TARGET)])
    assert chosen.classes == names
    assert (chosen.numbers(TARGET) == expected).all()
    assert chosen.chosen is not None
    assert (chosen.chosen == np.flatnonzero(expected >= 0)).all()
    assert (chosen.numbers(ID) == everything.numbers(ID)).all()


def test_prepared_rows_keep_ids_pixels_and_their_class(tmp_path: Path) -> None:
    plain = {"standardize": False}
    data = prepare(**settings(tmp_path, "digits", classes=["8", "3"], preprocess=plain))
    everything = digits()
    pixels = everything.take("image").flatten().to_numpy(zero_copy_only=False).reshape(len(everything), 64) / 255
    labels = everything.numbers(TARGET)
    parts = (data.train, data.valid, data.test)
    assert sum(len(part) for part in parts) == np.isin(labels, (3, 8)).sum()
    for part in parts:
        assert (part.features == pixels[part.ids]).all()
        assert (np.array([8, 3])[part.target] == labels[part.ids]).all()
    assert data.classes == ("8", "3")


def test_rows_are_a_stratified_part_of_those_left(tmp_path: Path) -> None:
    evens = [["0", "2", "4", "6", "8"], ["1", "3", "5", "7", "9"]]
    data = prepare(**settings(tmp_path, "digits", classes=evens, rows=100))
    joined = np.concatenate([data.train.target, data.valid.target, data.test.target])
    assert sorted(np.bincount(joined)) == [50, 50]
    with pytest.raises(InputError, match=r"^dataset.rows=400: must be in 1..357 "):
        prepare(**settings(tmp_path, "digits", classes=["3", "8"], rows=400))


def test_official_parts_stay_apart(tmp_path: Path) -> None:
    from assay.data.dataset import build_dataset
    from assay.data.preparation import arrays_of
    from assay.data.provenance import Provenance

    dataset = build_dataset(
        {"x": np.arange(90.0)},
        np.arange(90) % 3,
        kind="classification",
        classes=["a", "b", "c"],
        partition=np.arange(90) >= 60,
        provenance=Provenance("local path", "t", "0"),
    )
    data = arrays_of(with_classes(dataset, ["c", "a"]), options(), streams(0))
    assert sorted(data.test.ids) == [row for row in range(60, 90) if row % 3 != 1]
    assert (data.test.target == (data.test.ids % 3 == 0)).all()


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["3", "11"], r"^dataset.classes=11: no such class \(did you mean '1'\?\)"),
        (["3", "zz"], r"^dataset.classes=zz: no such class \(one of 0, 1, "),
        (["3"], r"needs two classes or more"),
        ([["3", "8"]], r"needs two classes or more"),
        ([["3"], []], r"needs two classes or more"),
        (["3", "8", "3"], r"^dataset.classes=3: is named twice"),
        ([["3", "8"], ["8", "1"]], r"^dataset.classes=8: is named twice"),
    ],
)
def test_a_choice_that_cannot_be_made_is_one_line(classes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_classes(digits(), classes)


def test_a_quantity_has_no_classes() -> None:
    for dataset in (diabetes(), with_kind(digits(), "regression")):
        with pytest.raises(InputError, match="the target is a quantity, not a class"):
            with_classes(dataset, ["3", "8"])


def test_a_near_name_is_suggested_whatever_its_case() -> None:
    clothes = replace(wine(), classes=("t-shirt", "trouser", "shirt"))
    with pytest.raises(InputError, match=r"did you mean 't-shirt'\?"):
        with_classes(clothes, ["T-Shirt", "shirt"])
