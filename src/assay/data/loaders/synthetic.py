"""Synthetic datasets: a linear population with Gaussian features, and rows drawn from it once and for all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from assay.config.limits import at_least, share
from assay.data.dataset import Dataset, build_dataset
from assay.data.options import DatasetOptions, Preprocess
from assay.data.population import Population
from assay.data.provenance import Provenance
from assay.data.sources.source import Source

if TYPE_CHECKING:
    import numpy as np

CLASSES = ("negative", "positive")
Count = Annotated[int, at_least(1, "a whole number from 1 on")]


@dataclass(frozen=True)
class Drawn:
    """A population whose score has variance 1 without noise, and the rows drawn from it."""

    rows: Count = 12000
    dimension: Count = 50
    noise: Annotated[float, at_least(0, "standard deviations of the score without noise")] = 0.1
    seed: Annotated[int, at_least(0, "e.g. 42")] = 42


@dataclass(frozen=True)
class DrawnClasses(Drawn):
    """The same with classes, of which a share is exchanged."""

    flips: Annotated[float, share("0.1 exchanges the labels of 10 %")] = 0.0


@dataclass(frozen=True)
class SyntheticRegression(DatasetOptions):
    """A target that is a noisy linear score of Gaussian features, from a known population."""

    draws: ClassVar[Literal["regression", "classification"]] = "regression"

    name: str = "synthetic_regression"
    kind: Literal["regression", "classification", "auto"] = "regression"
    modality: Literal["table", "image", "text", "auto"] = "table"
    preprocess: Preprocess = field(default_factory=lambda: Preprocess(standardize=False))
    synthetic: Drawn = field(default_factory=Drawn)
    source: Source = field(default_factory=lambda: Source("", ""))

    @property
    def population(self) -> Population:
        """The population that the rows are drawn from: coefficients of length 1, so that x'coefficients has variance 1.

        They come from a stream keyed by the dataset's name and `dimension` alone, whatever the seeds.
        """
        import numpy as np

        key = (self.name, "coefficients", self.synthetic.dimension)
        drawn = _generator(*key).standard_normal(self.synthetic.dimension)
        flips = self.synthetic.flips if isinstance(self.synthetic, DrawnClasses) else 0.0
        return Population(drawn / np.linalg.norm(drawn), self.synthetic.noise, self.draws, flips)

    def load(self, data_dir: Path) -> Dataset:
        """`rows` rows of the population, the same for every seed of a run: they depend on `synthetic.seed` alone."""
        from assay.data.changes import with_columns, with_kind

        population = self.population
        generator = _generator(self.name, "rows", self.synthetic.seed)
        features, target = population.draw(self.synthetic.rows, generator)
        digest = hashlib.sha256(features.astype("<f8").tobytes())
        digest.update(target.astype("<f8").tobytes())
        dataset = build_dataset(
            {f"x{place}": features[:, place - 1] for place in range(1, features.shape[1] + 1)},
            target,
            kind=self.draws,
            classes=CLASSES if self.draws == "classification" else (),
            provenance=Provenance("synthetic", self.name, digest.hexdigest()),
            population=population,
        )
        return with_kind(with_columns(dataset, self.features, self.types), self.kind)


@dataclass(frozen=True)
class SyntheticClassification(SyntheticRegression):
    """A class that is the sign of a noisy linear score of Gaussian features, from a known population."""

    draws: ClassVar[Literal["regression", "classification"]] = "classification"

    name: str = "synthetic_classification"
    kind: Literal["regression", "classification", "auto"] = "classification"
    synthetic: DrawnClasses = field(default_factory=DrawnClasses)


def _generator(*key: str | int) -> np.random.Generator:
    """The stream of a key, the same in every run."""
    import numpy as np

    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
