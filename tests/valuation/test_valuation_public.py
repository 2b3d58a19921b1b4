"""Mechanisms that read the public rows first: the clipping norm, the one release and its replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models import Shape
from assay.learning.models.auto import Auto
from assay.learning.models.generalized_linear import GeneralizedLinear
from assay.learning.models.heads import head_for
from assay.learning.modules.permutation_pass import Rows
from assay.learning.trainer import Trainer
from assay.privacy.noise.sources import SeededNoise
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.statistics import spearman
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.public_norm import public_norm
from assay.valuation.gradient.public_paths import PublicPaths
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.gradient.vector_release import VectorRelease
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
AUTO, TRAINER = Auto(), Trainer()
BOTH = pytest.mark.parametrize("mechanism", ["public_clip", "vector_release"])


def value(data: PreparedData, mechanism: str, seed: int = 0, epsilon: float = 2.0, **choices: object) -> Estimates:
    count = int(choices.pop("replicates", 2))  # type: ignore[call-overload]
    valuator = GradientSemivalue(**{"evaluations": 6, **choices})  # type: ignore[arg-type]
    problem = Problem(data, AUTO, privacy_of(mechanism, epsilon=epsilon, burn_in=0.5))
    return valuator.replicates(problem, Run(Streams(seed), TRAINER), count)


@BOTH
def test_the_budget_is_spent_in_as_many_touches_as_said(portion: Portion, mechanism: str) -> None:
    estimates = value(portion("diabetes"), mechanism)
    assert (estimates.touches == (6 if mechanism == "public_clip" else 1)).all()
    assert estimates.epsilon == pytest.approx(2.0, rel=1e-6)
    assert estimates.epsilon <= 2.0
    assert (estimates.evaluations == (3 if mechanism == "public_clip" else 6)).all()


@BOTH
def test_the_norm_is_the_quantile_of_the_public_rows_and_does_not_see_the_private_ones(
    portion: Portion, mechanism: str
) -> None:
    data = portion("diabetes", valid=40)
    model = AUTO.replicated(Shape("regression", 0, data.valid.features.shape[1]))
    x, y = torch.tensor(data.valid.features), torch.tensor(data.valid.target, dtype=torch.float64)
    by_hand = [float(model.row_gradients(torch.zeros(1, 11), x[i : i + 1], y[i : i + 1]).norm()) for i in range(40)]
    norms = {entry["max_grad_norm"] for entry in value(data, mechanism).entries}
    assert list(norms) == [pytest.approx(float(np.quantile(by_hand, 0.1)))]
    changed = replace(data, train=replace(data.train, features=100 * data.train.features, target=-data.train.target))
    assert {entry["max_grad_norm"] for entry in value(changed, mechanism).entries} == norms
    moved = replace(data, valid=replace(data.valid, target=3 * data.valid.target))
    assert {entry["max_grad_norm"] for entry in value(moved, mechanism).entries} != norms


def test_a_norm_read_from_private_rows_would_move_with_them(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken variant of the test above: the quantile of the train rows."""
    data = portion("diabetes")
    changed = replace(data, train=replace(data.train, target=5 * data.train.target))
    seen = []
    for each in (data, changed):
        private = (torch.tensor(each.train.features), torch.tensor(each.train.target, dtype=torch.float64))

        def broken(model, start, features, target, quantile, rows=private):  # type: ignore[no-untyped-def]
            return public_norm(model, start, *rows, quantile)

        monkeypatch.setattr("assay.valuation.gradient.permutation_fit.public_norm", broken)
        seen.append(value(each, "public_clip").entries[0]["max_grad_norm"])
    assert seen[0] != seen[1]


def test_noise_and_account_carry_the_norm_that_is_used(portion: Portion) -> None:
    problem = Problem(portion("diabetes"), AUTO, privacy_of("vector_release"))
    release = VectorRelease(GradientSemivalue(), problem, Run(Streams(0), TRAINER), "values")
    private, clip = release.private, release.fit.callbacks[0]
    assert clip.sensitivity == private.account.sensitivity == private.sensitivity  # type: ignore[attr-defined]
    assert private.sensitivity.max_grad_norm != 1.0


def test_public_rows_that_fit_exactly_give_no_norm() -> None:
    model = GeneralizedLinear(2, head_for("regression", 0))
    with pytest.raises(InputError, match=r"privacy.clip_quantile=0.1: the valid rows' gradients vanish"):
        public_norm(model, torch.zeros(3), torch.ones(4, 2), torch.zeros(4), 0.1)


N, P = 5, 4


def paths(weights: np.ndarray, rate: float = 0.3, count: int = 3) -> PublicPaths:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(7, P - 1, generator=generator, dtype=torch.float64)
    y = x[:, 0] + torch.randn(7, generator=generator, dtype=torch.float64)
    order = np.random.default_rng(2).permuted(np.tile(np.arange(7), (count, 1)), axis=1)[:, :N]
    model = GeneralizedLinear(P - 1, head_for("regression", 0))
    return PublicPaths(model, torch.zeros(P, dtype=torch.float64), Rows(x, y), order, rate, weights)


@pytest.mark.parametrize("semivalue", ["shapley", "banzhaf", "beta"])
def test_replays_equal_their_definitions_written_out(semivalue: str) -> None:
    """A row at a time with autograd, to first order at every position and by differences at one."""
    weights = semivalue_weights(semivalue, N, 4.0, 1.0)
    replay = paths(weights)
    x, y = replay.rows.features, replay.rows.target
    releases = torch.randn(2, N, P, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    met = np.random.default_rng(4).permuted(np.tile(np.arange(N), (3, 1)), axis=1)

    def utility(theta: torch.Tensor) -> torch.Tensor:
        return -((x @ theta[: P - 1] + theta[P - 1] - y) ** 2).mean()

    directions, differences = torch.zeros(3, P, dtype=torch.float64), np.zeros((3, 2, N))
    for m in range(3):
        theta = torch.zeros(P, dtype=torch.float64)
        for i in range(N):
            leaf = theta.clone().requires_grad_()
            (slope,) = torch.autograd.grad(utility(leaf), leaf)
            directions[m] += weights[i] * slope / N
            for r in range(2):
                after = utility(theta - 0.3 * releases[r, met[m, i]])
                differences[m, r, met[m, i]] = weights[i] * float(after - utility(theta))
            z = torch.cat([x[replay.order[m, i]], torch.ones(1, dtype=torch.float64)])
            theta = theta - 0.3 * (z @ theta - y[replay.order[m, i]]) * z
    torch.testing.assert_close(replay.directions(), directions, rtol=0, atol=1e-12)
    np.testing.assert_allclose(replay.differences(releases, met, "negative_loss"), differences, atol=1e-12)


def test_first_order_is_the_limit_of_the_differences() -> None:
    rate, releases = 1e-6, torch.randn(1, N, P, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    replay = paths(np.ones(N), rate, count=1)
    every = [replay.differences(releases, np.roll(np.arange(N), s)[None], "negative_loss") for s in range(N)]
    first = -rate * torch.einsum("rnp,mp->mrn", releases, replay.directions()).numpy()
    np.testing.assert_allclose(np.mean(every, axis=0), first, rtol=1e-4, atol=1e-12)


def test_the_released_gradient_is_clipped_at_the_start_and_noised(portion: Portion) -> None:
    """Section V by hand: one release a row at the start, whose noise is known by its stream."""
    data, privacy = portion("diabetes", train=8), privacy_of("vector_release", epsilon=3.0)
    release = VectorRelease(
        GradientSemivalue(evaluations=4), Problem(data, AUTO, privacy), Run(Streams(5), TRAINER), "values"
    )
    release.estimates()
    assert release.private.reuse is not None
    norm = release.private.sensitivity.max_grad_norm
    draw = SeededNoise(lambda number: Streams(5).seed("noise", "values", number), torch.float64).open_round(1)
    for row in release.fit.module.orders(1)[0]:
        x = torch.cat([torch.tensor(data.train.features[row]), torch.ones(1, dtype=torch.float64)])
        gradient = -float(data.train.target[row]) * x
        clipped = gradient * min(1.0, norm / float(gradient.norm()))
        expected = clipped + norm * privacy.noise_multipliers(1)[0] * draw((1, 11))[0]
        torch.testing.assert_close(release.private.reuse.mean_releases(1)[0, row], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("utility", ["negative_loss", "accuracy"])
def test_standard_errors_are_the_spread_over_releases(portion: Portion, utility: str) -> None:
    """Mean variance stated by one run, against that over 60 runs of noise: within a factor 1.5."""
    data = portion("breast_cancer", train=25, components=4)
    privacy = privacy_of("vector_release", epsilon=8.0)
    valuator = GradientSemivalue(evaluations=40, learning_rate=0.5, utility=utility, bootstrap=40)
    stated = valuator.valuate(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER)).values.std_error
    repeated = valuator.replicates(Problem(data, AUTO, privacy), Run(Streams(1), TRAINER), 60)
    spread = repeated.values.var(axis=0, ddof=1)
    assert 2 / 3 < (stated**2).mean() / spread.mean() < 3 / 2 + (utility == "accuracy")


def test_without_much_noise_values_rank_as_those_without_privacy(portion: Portion) -> None:
    data = portion("breast_cancer", train=40, components=4, labels=0.3)
    wanted = value(data, "none", evaluations=40, learning_rate=0.5, replicates=1).values[0]
    for mechanism, least in (("vector_release", 0.75), ("public_clip", 0.75)):
        estimates = value(data, mechanism, epsilon=1e5, evaluations=40, learning_rate=0.5, replicates=1)
        assert spearman(estimates.values, wanted)[0] > least


def test_a_finished_release_is_not_made_again(portion: Portion, tmp_path: Path) -> None:
    """With secure noise a second run from the checkpoint has the same values: the release was saved."""
    privacy, valuator = privacy_of("vector_release", secure_noise=True), GradientSemivalue(evaluations=3)
    problem, run = Problem(portion("diabetes"), AUTO, privacy), Run(Streams(0), TRAINER, Parts(tmp_path))
    runs = [valuator.replicates(problem, run, 1) for _ in range(2)]
    assert runs[0].values.tobytes() == runs[1].values.tobytes()
    assert runs[0].entries == runs[1].entries
