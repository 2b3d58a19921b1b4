"""Folders written by `save_to_disk`, and the hub played by a function."""

from __future__ import annotations

from pathlib import Path

import datasets
import numpy as np
import pytest
from data_helpers import settings

from assay.data import prepare
from assay.data.content import folder_sha256
from assay.data.own import hub
from assay.errors import AssayError, InputError


def table(rows: int = 40) -> datasets.Dataset:
    features = datasets.Features(
        {"a": datasets.Value("float64"), "c": datasets.Value("string"), "y": datasets.ClassLabel(names=["bad", "good"])}
    )
    content = {
        "a": [i / 7 for i in range(rows)],
        "c": ["uv"[i % 2] for i in range(rows)],
        "y": [i % 2 for i in range(rows)],
    }
    return datasets.Dataset.from_dict(content, features=features)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "saved"
    table().save_to_disk(str(path))
    return path


def test_a_saved_folder_with_class_names(folder: Path, tmp_path: Path) -> None:
    data = prepare(**settings(tmp_path, "huggingface", path=str(folder), target="y"))
    assert data.classes == ("bad", "good")
    assert data.feature_names == ("a", "c=u", "c=v")
    assert (data.train.target == data.train.ids % 2).all()
    assert data.provenance.provider == "local path"
    assert data.provenance.sha256 == folder_sha256(folder)


def test_train_and_test_of_a_folder_are_the_official_parts(tmp_path: Path) -> None:
    path = tmp_path / "parts"
    datasets.DatasetDict({"train": table(), "test": table(10), "other": table(7)}).save_to_disk(str(path))
    split = {"train": 20, "valid": 10, "test": 6}
    data = prepare(**settings(tmp_path, "huggingface", path=str(path), target="y", split=split))
    assert set(data.test.ids) <= set(range(40, 50))
    assert set(np.concatenate([data.train.ids, data.valid.ids])) <= set(range(40))


def test_the_hub_is_asked_by_name_and_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(name: str, configuration: str | None) -> datasets.DatasetDict:
        asked.append((name, configuration))
        return datasets.DatasetDict({"train": table()})

    monkeypatch.delenv("ASSAY_OFFLINE", raising=False)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    for path in ("owner/name", "owner/name:small"):
        data = prepare(**settings(tmp_path, "huggingface", path=path, target="y"))
        assert data.provenance.provider == "canonical"
        assert data.provenance.source == f"huggingface:{path}"
    assert asked == [("owner/name", None), ("owner/name", "small")]


def test_what_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_OFFLINE", "1")
    with pytest.raises(InputError, match="ASSAY_OFFLINE forbids the hub"):
        prepare(**settings(tmp_path, "huggingface", path="owner/name", target="y"))
    with pytest.raises(InputError, match="no such folder"):
        prepare(**settings(tmp_path, "huggingface", path=str(tmp_path / "none"), target="y"))
    with pytest.raises(InputError, match="is not a saved dataset"):
        prepare(**settings(tmp_path, "huggingface", path=str(tmp_path), target="y"))
    monkeypatch.delenv("ASSAY_OFFLINE")

    def refuse(name: str, configuration: str | None) -> None:
        raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr(hub.hugging_face(), "load_dataset", refuse)
    with pytest.raises(AssayError, match=r"not to be had from the hub \(no route to the hub\)$"):
        prepare(**settings(tmp_path, "huggingface", path="owner/name", target="y"))


def test_a_wrong_target_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dataset.target=Y: no such column \(did you mean 'y'\?\)"):
        prepare(**settings(tmp_path, "huggingface", path=str(folder), target="Y"))
    with pytest.raises(InputError, match=r"^dataset.target=null"):
        prepare(**settings(tmp_path, "huggingface", path=str(folder)))


def pictures(folder: Path, shapes: list[tuple[int, ...]], hole: int | None = None) -> Path:
    """A saved folder of one picture a row, of which one may be missing."""
    draw = np.random.default_rng(0)
    images = [draw.integers(0, 256, shapes[n % len(shapes)]).astype(np.uint8) for n in range(40)]
    features = datasets.Features({"image": datasets.Image(), "y": datasets.ClassLabel(names=["cat", "dog"])})
    content = {
        "image": [None if n == hole else image for n, image in enumerate(images)],
        "y": [n % 2 for n in range(40)],
    }
    datasets.Dataset.from_dict(content, features=features).save_to_disk(str(folder / "pictures"))
    return folder / "pictures"


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
@pytest.mark.parametrize("blind", [False, True])
def test_images_are_pixels(shape: tuple[int, ...], blind: bool, tmp_path: Path) -> None:
    path = pictures(tmp_path, [shape])
    given = {"path": str(path), "target": "y", "preprocess": {"standardize": False}, "blind": blind}
    data = prepare(**settings(tmp_path, "huggingface", **given))
    assert data.modality == "image"
    assert data.classes == ("cat", "dog")
    draw = np.random.default_rng(0)
    images = np.array([draw.integers(0, 256, shape) for _ in range(40)]).reshape(40, -1) / 255
    assert (data.train.features == images[data.train.ids]).all()


def test_images_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    def line(**given: object) -> str:
        with pytest.raises(InputError) as caught:
            prepare(**settings(tmp_path, "huggingface", target="y", **given))
        return str(caught.value)

    path = str(pictures(tmp_path, [(6, 5), (4, 4)]))
    said = line(path=path)
    assert "column 'image' has images of 2 sizes (6x5, 4x4)" in said
    assert "dataset.types.image=ignore" in said
    assert "no feature column is left" in line(path=path, types={"image": "ignore"})
    holed = str(pictures(tmp_path / "holed", [(6, 5)], hole=3))
    assert "column 'image' has 1 missing" in line(path=holed)
    assert len(prepare(**settings(tmp_path, "huggingface", path=holed, target="y", missing="drop")).train) == 23


def test_a_private_image_changes_its_own_row_alone(tmp_path: Path) -> None:
    plain = pictures(tmp_path, [(6, 5)])
    given = {"target": "y", "blind": True}
    first = prepare(**settings(tmp_path, "huggingface", path=str(plain), **given))
    row = int(first.train.ids[0])
    second = prepare(
        **settings(tmp_path, "huggingface", path=str(pictures(tmp_path / "other", [(6, 5)], hole=row)), **given)
    )
    others = first.train.ids != row
    assert (first.train.ids == second.train.ids).all()
    assert (first.train.features[others] == second.train.features[others]).all()
    assert (first.valid.features == second.valid.features).all()
    assert (first.train.features[~others] != second.train.features[~others]).any()
