"""Data as a composed config describes them."""

from __future__ import annotations

from pathlib import Path

from assay.config.compose import compose
from assay.data import PreparedData, prepare
from assay.runs import Streams


def data_of(*overrides: str, seed: int = 0) -> PreparedData:
    """The data that `assay run OVERRIDES seed=SEED` would see; AssayError (one line) where they are not had."""
    config = compose(overrides)
    folder = Path(config["paths"]["data"]).expanduser()
    return prepare(**config["dataset"], data_dir=folder, generator=Streams(seed).generator)
