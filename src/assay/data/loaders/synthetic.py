"""Synthetic datasets: a linear population with Gaussian features, and rows drawn from it once and for all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.population import Population
from assay.data.records import Provenance

if TYPE_CHECKING:
    import numpy as np

CLASSES = ("negative", "positive")


def population_of(name: str, kind: str, settings: Mapping[str, Any]) -> Population:
    """The population of a dataset: coefficients of length 1, so that x'coefficients has variance 1.

    They are drawn from a stream keyed by the dataset's name and `dimension` alone, whatever the seeds.
    """
    import numpy as np

    drawn = _generator(name, "coefficients", int(settings["dimension"])).standard_normal(int(settings["dimension"]))
    coefficients = drawn / np.linalg.norm(drawn)
    return Population(coefficients, float(settings["noise"]), kind, float(settings["flips"]))


def load_synthetic(name: str, kind: str, settings: Mapping[str, Any]) -> Dataset:
    """`rows` rows of the population, the same for every seed of a run: they depend on `seed` of the settings alone."""
    population = population_of(name, kind, settings)
    rows = int(settings["rows"])
    features, target = population.draw(rows, _generator(name, "rows", int(settings["seed"])))
    digest = hashlib.sha256(features.astype("<f8").tobytes())
    digest.update(target.astype("<f8").tobytes())
    return build_dataset(
        {f"x{place}": features[:, place - 1] for place in range(1, features.shape[1] + 1)},
        target,
        kind=kind,
        classes=CLASSES if kind == "classification" else (),
        provenance=Provenance("synthetic", name, digest.hexdigest()),
        population=population,
    )


def _generator(*key: str | int) -> np.random.Generator:
    """The stream of a key, the same in every run."""
    import numpy as np

    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
