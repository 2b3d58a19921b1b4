"""Data as a composed config describes them."""

from __future__ import annotations

from assay.config.compose import compose
from assay.data import PreparedData
from assay.experiment import prepared


def data_of(*overrides: str, seed: int = 0) -> PreparedData:
    """The data that `assay run OVERRIDES seed=SEED` would see; AssayError (one line) where they cannot be obtained."""
    return prepared(compose([*overrides, f"seed={seed}"]))
