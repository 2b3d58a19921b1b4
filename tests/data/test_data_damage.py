"""Files with damaged bytes: read, or refused by an InputError; nothing else, and never the end of the process."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import shutil
import warnings
from pathlib import Path

import datasets
import numpy as np
import pytest
from data_helpers import settings
from odd_files import STORED, text, zipped

from assay.data import prepare
from assay.errors import InputError

PLAIN = text().encode()
WHOLE: dict[str, tuple[str, bytes]] = {
    "csv": ("csv", PLAIN),
    "gzip": ("csv", gzip.compress(PLAIN)),
    "bzip2": ("csv", bz2.compress(PLAIN)),
    "xz": ("csv", lzma.compress(PLAIN)),
    "zip": ("csv", zipped("own.csv")),
    "parquet": ("parquet", STORED["parquet with an index"].files["own.parquet"]),
    "Arrow file": ("arrow", STORED["Arrow file"].files["own.arrow"]),
    "Arrow stream": ("arrow", STORED["Arrow stream"].files["own.arrow"]),
    "JSON lines": ("jsonl", STORED["JSON lines"].files["own.jsonl"]),
}
TRIES = 40


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content with bytes changed, cut off, put in, taken out or set to zero, at one place or several."""
    changed = bytearray(content)
    way = draw.choice(["change", "cut", "insert", "remove", "zero"])
    for _ in range(draw.choice([1, 1, 3, 20])):
        place = draw.randrange(len(changed)) if changed else 0
        if way == "change":
            changed[place : place + 1] = bytes([draw.randrange(256)])
        elif way == "cut":
            del changed[place:]
        elif way == "insert":
            changed[place:place] = draw.randbytes(draw.choice([1, 50]))
        elif way == "remove":
            del changed[place : place + draw.choice([1, 30])]
        else:
            changed[place : place + 16] = bytes(16)
    return bytes(changed)


@pytest.mark.parametrize("name", WHOLE)
def test_a_damaged_file_is_read_or_refused(name: str, tmp_path: Path) -> None:
    option, content = WHOLE[name]
    draw, refused = random.Random(len(name)), 0
    for _ in range(TRIES):
        (tmp_path / "own").write_bytes(damaged(content, draw))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                prepare(**settings(tmp_path, option, path=str(tmp_path / "own"), target="y"))
            except InputError:
                refused += 1
    assert refused > TRIES / 2


def test_a_damaged_folder_is_read_or_refused(tmp_path: Path) -> None:
    n = np.arange(60)
    features = datasets.Features({"a": datasets.Value("float32"), "y": datasets.ClassLabel(names=["no", "yes"])})
    part = datasets.Dataset.from_dict({"a": (n * 37 % 101 / 8).tolist(), "y": (n % 2).tolist()}, features=features)
    datasets.DatasetDict({"train": part, "test": part}).save_to_disk(str(tmp_path / "whole"))
    assert len(prepare(**settings(tmp_path, "huggingface", path=str(tmp_path / "whole"), target="y")).train) == 45
    draw, refused = random.Random(0), 0
    files = sorted(file.relative_to(tmp_path / "whole") for file in (tmp_path / "whole").rglob("*") if file.is_file())
    for each in range(TRIES):
        folder = tmp_path / f"copy{each}"
        shutil.copytree(tmp_path / "whole", folder)
        file = folder / files[each % len(files)]
        file.write_bytes(damaged(file.read_bytes(), draw))
        try:
            prepare(**settings(tmp_path, "huggingface", path=str(folder), target="y"))
        except InputError:
            refused += 1
    assert refused > TRIES / 4
