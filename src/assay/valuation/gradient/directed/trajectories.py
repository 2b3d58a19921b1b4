"""Public trajectories of one problem: the model, its public start, and SGD over public rows."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.learning.initialisation import public_start
from assay.learning.models import Shape
from assay.learning.modules.permutation_pass import Rows
from assay.valuation.gradient.directed.paths import POSITIONS, positions_of, public_paths
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.valuator import Problem, Run


class PublicTrajectories:
    """SGD over permutations of the valid rows, or of rows `public` in their place, with the places that are looked at.

    `train` and `valid` are the splits as tensors. Guarantee: `thetas` reads no private row; the number of private rows is
    the length of a trajectory.
    """

    def __init__(self, settings: GradientSettings, problem: Problem, run: Run, public: Rows | None = None) -> None:
        data, trainer = problem.data, run.trainer
        torch.set_num_threads(trainer.threads)
        self.settings, self.context = settings, run
        self.train, self.valid = rows_of(data.train, trainer.dtype), rows_of(data.valid, trainer.dtype)
        self.public = public or self.valid
        self.model = problem.model.replicated(Shape.of(data))
        generator = torch.Generator().manual_seed(run.streams.seed("initialisation"))
        start = public_start(self.model, settings.initialisation, self.public.features, self.public.target, generator)
        self.start = start.to(self.valid.features)
        self.positions = positions_of(settings.weights(len(self.train)), POSITIONS)

    def thetas(self, paths: int) -> Tensor:
        """Parameters [paths, positions, P]."""
        return public_paths(
            self.model,
            self.start,
            self.public,
            steps=len(self.train),
            positions=self.positions,
            learning_rate=self.settings.learning_rate,
            paths=paths,
            generator=self.context.streams.generator("public paths"),
        )
