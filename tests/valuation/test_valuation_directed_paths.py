"""Trajectories of the directed release: public ones, and the private path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.learning.models import Shape
from assay.learning.models.affine import Linear
from assay.learning.trainer import Trainer
from assay.privacy.budget import Budget
from assay.privacy.clipping import Clip
from assay.privacy.relations import Relation, Sensitivity
from assay.runs.streams import Streams
from assay.valuation.gradient.directed import paths as paths_module
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.directed.paths import (
    MeanGradientPath,
    at_positions,
    clipped_mean,
    mean_gradient_path,
    public_paths,
)
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
RUN = Run(Streams(0), Trainer())


def moved(data: PreparedData, row: int) -> PreparedData:
    """Another value in one train row."""
    features = data.train.features.copy()
    features[row] += 3.0
    return replace(data, train=replace(data.train, features=features))


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_the_private_path_is_as_noisy_as_its_account_says(portion: Portion, factor: float) -> None:
    """mu measured on the first step: its mean moves by C/n when a row vanishes, against the noise that is added.

    Noise at half scale, the broken variant, comes out above the budget.
    """
    data = portion("diabetes", train=20)
    problem = Problem(data, Linear(), privacy_of("directed_private_path", epsilon=4.0))
    release = DirectedRelease(GradientSemivalue(), problem, RUN, "x")
    seen: list[MeanGradientPath] = []
    original = paths_module.mean_gradient_path

    def spy(model: Any, start: Any, private: Any, choice: MeanGradientPath, **options: Any) -> Any:
        seen.append(choice)
        return original(model, start, private, choice, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assay.valuation.gradient.directed.estimate.mean_gradient_path", spy)
        release.run()
    choice = seen[0]
    mu = choice.clip.sensitivity.max_grad_norm / 20 * choice.steps**0.5 / (choice.deviation * factor)
    allowed = Budget(4.0 * 0.25, 1e-5).mu
    assert (mu <= allowed) == (factor == 1.0)
    assert mu == pytest.approx(allowed / factor, rel=1e-6)


def test_the_clipped_mean_moves_by_the_sensitivity_at_most(portion: Portion) -> None:
    data = portion("diabetes", train=20)
    model = Linear().replicated(Shape("regression", 0, 10))
    theta, norm = model.initial("random", torch.Generator().manual_seed(0)), 0.3
    clip = Clip(Sensitivity(norm, Relation.ZERO_OUT))
    before = clipped_mean(model, theta, rows_of(data.train, torch.float64), clip)
    wild = clipped_mean(model, theta, rows_of(moved(moved(data, 2), 2).train, torch.float64), clip)
    assert float((before - wild).norm()) <= 2 * norm / 20
    rows = rows_of(data.train, torch.float64)
    slow = sum(
        g / max(1.0, float(g.norm()) / norm)
        for g in model.row_gradients(theta.expand(20, -1), rows.features, rows.target)
    )
    torch.testing.assert_close(before, slow / 20, rtol=1e-9, atol=1e-12)


def test_a_mean_path_without_noise_is_gradient_descent(portion: Portion) -> None:
    data = portion("diabetes", train=20)
    model = Linear().replicated(Shape("regression", 0, 10))
    rows, start = rows_of(data.train, torch.float64), torch.zeros(model.parameter_count, dtype=torch.float64)
    choice = MeanGradientPath(steps=5, clip=Clip(Sensitivity(1e9, Relation.ZERO_OUT)), deviation=0.0, norm=1e9)
    draws = torch.zeros(5, model.parameter_count, dtype=torch.float64)
    options: dict[str, Any] = {"length": 20, "learning_rate": 0.05, "draws": draws}
    path = at_positions(mean_gradient_path(model, start, rows, choice, **options), np.array([0, 4, 6, 19]), 20)
    slow = [start]
    for _ in range(5):
        slow.append(
            slow[-1] - 0.05 * 4 * model.row_gradients(slow[-1].expand(20, -1), rows.features, rows.target).mean(0)
        )
    torch.testing.assert_close(path[1], slow[1])
    torch.testing.assert_close(path[2], (slow[1] + slow[2]) / 2)
    torch.testing.assert_close(path[3], slow[4] * 0.25 + slow[5] * 0.75)


def test_public_paths_are_one_pass_sgd(portion: Portion) -> None:
    data = portion("diabetes", valid=8)
    model = Linear().replicated(Shape("regression", 0, 10))
    rows, start = rows_of(data.valid, torch.float64), torch.zeros(model.parameter_count, dtype=torch.float64)
    options: dict[str, Any] = {"learning_rate": 0.05, "paths": 3}
    generator = Streams(0).generator("x")
    paths = public_paths(
        model, start, rows, steps=12, positions=np.array([0, 1, 1, 11]), generator=generator, **options
    )
    again = Streams(0).generator("x")
    orders = np.concatenate([np.argsort(again.random((3, 8)), axis=1, kind="stable") for _ in range(2)], axis=1)
    theta = start.clone()
    for step in range(11):
        row = orders[1, step]
        theta = theta - 0.05 * model.row_gradients(theta[None], rows.features[row][None], rows.target[row][None])[0]
    torch.testing.assert_close(paths[1, 3], theta)
    assert torch.equal(paths[:, 1], paths[:, 2])
    assert (paths[:, 0] == 0).all()
