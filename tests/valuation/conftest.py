"""Real data in small portions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.data import PreparedData, prepare
from assay.runs.streams import Streams


@pytest.fixture(scope="session")
def portion(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., PreparedData]:
    """Prepares a built-in dataset: portion("diabetes", train=40, labels=0.3, ...)."""
    folder: Path = tmp_path_factory.mktemp("data")

    def prepared(name: str, train: int = 30, valid: int = 60, labels: float = 0.0, **preprocess: Any) -> PreparedData:
        return prepare(
            name=name,
            kind="regression" if name == "diabetes" else "classification",
            modality="table",
            path=None,
            target=None,
            features=None,
            types={},
            rows=None,
            download=False,
            split={"train": train, "valid": valid, "test": 10},
            corruption={"labels": labels, "features": 0.0, "scale": 1.0},
            sources={"count": 0, "how": "random", "alpha": 0.5},
            preprocess={"standardize": True, "components": None, "norm": None, "buckets": 16, **preprocess},
            data_dir=folder,
            generator=Streams(0).generator,
        )

    return prepared
