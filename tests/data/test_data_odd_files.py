"""Odd files: read as the truth says, or refused in one line before anything is computed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_helpers import settings
from odd_files import STORED, TEXTS, File

from assay.data import PreparedData, prepare
from assay.errors import InputError

FILES = TEXTS | STORED


def read(file: File, folder: Path) -> PreparedData:
    paths = []
    for name, content in file.files.items():
        (folder / name).write_bytes(content)
        paths.append(str(folder / name))
    given: dict[str, Any] = {"path": paths[0] if len(paths) == 1 else paths, "target": "y", **file.given}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(**settings(folder, file.option, preprocess={"standardize": False}, **given))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_it_is_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    file = FILES[name]
    if file.refused is not None:
        with pytest.raises(InputError) as caught:
            read(file, tmp_path)
        assert "\n" not in str(caught.value)
        assert file.refused in str(caught.value)
        return
    data = read(file, tmp_path)
    assert data.description is not None
    assert tuple(data.description.columns) == file.columns
    assert data.description.left_out == file.left_out
    assert data.classes == file.classes
    ids = np.concatenate([data.train.ids, data.valid.ids, data.test.ids])
    assert len(ids) == file.rows
    target = np.concatenate([data.train.target, data.valid.target, data.test.target])
    if len(file.files) == 1 and "index without a name" not in name:
        assert (target == ids % 2).all()
    number = data.feature_names.index(file.columns[0 if file.columns[0] else 1])
    values = np.concatenate([data.train.features, data.valid.features, data.test.features])[:, number]
    if name not in ("parquet with decimals", "parquet with an index without a name"):
        assert values == pytest.approx(np.round(ids % 60 * 37 % 101 / 8, 3), abs=1e-9)


def test_most_of_the_odd_files_are_read() -> None:
    assert len(FILES) >= 100
    assert sum(file.refused is None for file in FILES.values()) >= 60
