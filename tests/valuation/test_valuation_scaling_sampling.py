"""Sampling in parts: the same bytes for any number of workers and after a kill, and means without bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.mechanisms import privacy_of
from threadpoolctl import threadpool_limits

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.affine import Linear, Logistic
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.runs import Parts, Streams
from assay.valuation.contributions import sampling as module
from assay.valuation.contributions.samples import Contributions, cardinality_means, merged, stacked
from assay.valuation.contributions.sampling import Sampling
from assay.valuation.contributions.setting import Labelled, Setting, setting_of
from assay.valuation.contributions.subsets import Cardinalities
from assay.valuation.laws.scaling_law import ScalingLaw
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
LAW = Cardinalities(10, 60)


@pytest.fixture
def setting(portion: Portion) -> Setting:
    data = portion("breast_cancer", train=200, valid=100, components=5)
    return setting_of(data, np.arange(20), np.arange(20, 200), Logistic(), "negative_loss")


def test_a_contribution_is_what_two_fits_differ_by(setting: Setting) -> None:
    samples = Sampling(setting, Streams(0)).samples("x", LAW, 6)
    sampler = module.SubsetSampler(180, setting.pool.target, Streams(0), "x")

    def utility(rows: np.ndarray, point: int | None) -> float:
        x, y = setting.pool.features[rows], setting.pool.target[rows]
        if point is not None:
            x = np.vstack([x, setting.points.features[point]])
            y = np.append(y, setting.points.target[point])
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(x, y)
        logs = model.predict_log_proba(setting.valid.features)
        return float(logs[np.arange(len(logs)), setting.valid.target.astype(int)].mean())

    for j in range(6):
        rows = sampler.subset(j, int(samples.cardinality[0, j]))
        alone = utility(rows, None)
        expected = np.array([utility(rows, point) - alone for point in range(20)])
        assert samples.delta[:, j] == pytest.approx(expected, abs=1e-4 * float(np.sqrt((expected**2).mean())) + 1e-7)


def test_workers_and_a_kill_change_no_byte(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART", 7)
    alone = Sampling(setting, Streams(0)).samples("x", LAW, 30)
    both = Sampling(setting, Streams(0), Parts(workers=2)).samples("x", LAW, 30)
    first = Sampling(setting, Streams(0), Parts(tmp_path)).samples("x", LAW, 30)
    assert len(list(tmp_path.glob("x-exact-*.npz"))) == 5
    for place in (2, 3, 4):
        (tmp_path / f"x-exact-{place}.npz").unlink()
    solved: list[int] = []
    sampler = module.SubsetSampler.subset
    monkeypatch.setattr(module.SubsetSampler, "subset", lambda *asked: solved.append(asked[1]) or sampler(*asked))
    again = Sampling(setting, Streams(0), Parts(tmp_path)).samples("x", LAW, 30)
    assert solved == list(range(14, 30))  # the parts that were lost, and no other
    for other in (both, first, again):
        assert other.delta.tobytes() == alone.delta.tobytes()
        assert (other.fits, other.fallbacks) == (alone.fits, alone.fallbacks)


def test_fresh_samples_have_subsets_of_their_own(setting: Setting) -> None:
    samples = Sampling(setting, Streams(0)).samples("x", LAW, 4, shared=False)
    assert samples.delta.shape == samples.cardinality.shape == (20, 4)
    assert not (samples.cardinality == samples.cardinality[0]).all()
    assert not samples.shared


def test_corrected_means_are_those_of_exact_contributions(setting: Setting) -> None:
    sampling = Sampling(setting, Streams(0))
    exact = sampling.means("x", [15, 60], 60, None)
    corrected = sampling.means("x", [15, 60], 60, 0.5)
    cheap = cardinality_means(sampling.grid("x", [15, 60], 60, "cheap"))
    assert corrected.cardinalities.tolist() == [15, 60]
    gap, bias = (np.abs(each.mean - exact.mean).mean(axis=0) for each in (corrected, cheap))
    assert (gap < bias).all()
    # the corrected half of the same subsets: what is left is the noise of the other half's corrections
    assert (np.abs(corrected.mean - exact.mean) < 6 * corrected.std_error + 1e-9).all()


def test_shapley_is_the_mean_over_uniform_sizes(setting: Setting) -> None:
    sampling = Sampling(setting, Streams(0))
    shapley = sampling.shapley("x", LAW, 300, None)
    direct = sampling.samples("y", LAW, 300)
    error = np.sqrt(shapley.std_error**2 + direct.delta.var(axis=1, ddof=1) / 300)
    z = (shapley.mean - direct.delta.mean(axis=1)) / error
    # 20 points, two independent means: |z| above 4 once in 800 runs
    assert np.abs(z).max() < 4
    whole = sampling.shapley("x", LAW, 300, 1.0)
    assert whole.mean == pytest.approx(shapley.mean)


def test_parts_are_put_together() -> None:
    def part(points: int, value: float) -> Contributions:
        shape = (points, 3)
        return Contributions(np.full(shape, 5), np.full(shape, value), np.ones(shape), True, 4, 1)

    both = stacked([part(2, 1.0), part(3, 2.0)])
    assert both.delta[:, 0].tolist() == [1, 1, 2, 2, 2]
    assert (both.fits, both.fallbacks) == (8, 2)
    rng = np.random.default_rng(0)
    delta = rng.standard_normal((2, 40))
    sizes = np.broadcast_to(np.tile([3, 9], 20), delta.shape)
    halves = [
        cardinality_means(Contributions(sizes[:, part], delta[:, part], np.ones((2, 20)), True))
        for part in (slice(0, 20), slice(20, 40))
    ]
    whole = cardinality_means(Contributions(sizes, delta, np.ones(delta.shape), True))
    assert merged(halves).mean == pytest.approx(whole.mean)
    assert merged(halves).samples == whole.samples == 20
    assert merged(halves).std_error == pytest.approx(whole.std_error, rel=0.3)
    with pytest.raises(ValueError, match="different cardinalities"):
        cardinality_means(Contributions(rng.permuted(sizes, axis=1), delta, np.ones(delta.shape), True))


def surroundings(**changes: object) -> Run:
    return replace(Run(Streams(0), Trainer()), **changes)  # type: ignore[arg-type]


def test_no_row_joins_a_subset_that_has_it(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    data = portion("breast_cancer", train=120, valid=100, components=5)
    seen: list[Setting] = []
    build = module.Sampling.samples

    def spied(self: Sampling, *args: object, **kwargs: object) -> Contributions:
        seen.append(self.setting)
        return build(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module.Sampling, "samples", spied)
    valuator = ScalingLaw("monte_carlo", evaluations=8, smallest=10, largest=40, folds=3, density="uniform")
    valuation = valuator.valuate(Problem(data, Auto(), privacy_of("none")), surroundings())
    assert sorted(len(each.points) for each in seen) == [40, 40, 40]
    rows = {each.tobytes() for each in data.train.features}
    valued = [each.tobytes() for setting in seen for each in setting.points.features]
    assert len(rows) == 120
    assert set(valued) == rows
    assert len(valued) == 120
    for each in seen:
        assert not {row.tobytes() for row in each.points.features} & {row.tobytes() for row in each.pool.features}
    assert valuation.values.value.shape == (120,)
    assert valuation.epsilon == np.inf


def test_values_are_in_the_order_of_the_rows(portion: Portion) -> None:
    data = portion("breast_cancer", train=120, valid=100, labels=0.2, components=5)
    valuator = ScalingLaw("monte_carlo", evaluations=60, smallest=10, largest=40, folds=3, density="uniform")
    values = valuator.valuate(Problem(data, Auto(), privacy_of("none")), surroundings()).values
    clean = data.train.clean
    assert values.value[clean].mean() > values.value[~clean].mean() + 3 * values.std_error.mean() / 4


def test_privacy_and_too_large_subsets_are_refused(portion: Portion) -> None:
    data = portion("breast_cancer", train=60, valid=100, components=5)
    valuator = ScalingLaw("monte_carlo", evaluations=8, smallest=10, largest=50, folds=3)
    with pytest.raises(InputError, match="no bounded sensitivity"):
        valuator.valuate(Problem(data, Auto(), privacy_of("iid")), surroundings())
    with pytest.raises(InputError, match=r"valuation.largest=50: subsets are drawn from 40 rows"):
        valuator.valuate(Problem(data, Auto(), privacy_of("none")), surroundings())


def test_a_solver_is_the_same_whatever_the_number_of_threads() -> None:
    """Two threads round what least squares keeps of many valid rows differently: a worker has fewer than a lone run."""
    generator = np.random.default_rng(0)
    parts = []
    for rows in (5, 400, 4000):
        features = generator.standard_normal((rows, 120))
        parts.append(Labelled(features, features[:, 0] + generator.standard_normal(rows)))
    of = Setting(*parts, "regression", 0, Linear(intercept=True))
    contributions = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            contributions.append(Sampling(of, Streams(0)).shared("x", np.array([200, 200])).delta)
    assert contributions[0].tolist() == contributions[1].tolist()
