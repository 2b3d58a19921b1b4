"""Real data in small portions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.config import compose
from assay.data import PreparedData, prepare
from assay.data.options import Corruption, Preprocess, Split
from assay.runs.streams import Streams


@pytest.fixture(scope="session")
def portion(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., PreparedData]:
    """Prepares a built-in dataset: portion("diabetes", train=40, labels=0.3, ...)."""
    folder: Path = tmp_path_factory.mktemp("data")

    def prepared(name: str, train: int = 30, valid: int = 60, labels: float = 0.0, **preprocess: Any) -> PreparedData:
        options = replace(
            compose([f"dataset={name}"]).dataset,
            split=Split(train, valid, 10),
            corruption=Corruption(labels),
            preprocess=Preprocess(**{"buckets": 16, **preprocess}),
        )
        return prepare(options, data_dir=folder, generator=Streams(0).generator)

    return prepared
