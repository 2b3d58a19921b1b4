"""The amortised estimator on populations whose laws are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.modules import amortised_law
from assay.valuation.contributions.samples import Contributions
from assay.valuation.contributions.setting import Labelled
from assay.valuation.laws.amortised import Amortised
from assay.valuation.laws.amortised_errors import excess, observe
from assay.valuation.laws.amortised_training import hold_out
from assay.valuation.laws.power_law import PowerLaws

Floats = NDArray[np.float64]
SIZES = np.array([100, 300, 1000])


@dataclass(frozen=True)
class Population:
    """Points whose c and alpha are smooth in the features, differently for each class; sigma and beta are constants."""

    points: Labelled
    c: Floats
    alpha: Floats
    own: Floats

    @classmethod
    def drawn(cls, count: int, classes: int, seed: int, own: float = 0.0) -> Population:
        """`own` is the deviation that features do not explain, in units of one sample's at 300 rows."""
        generator = np.random.default_rng(seed)
        features = generator.normal(size=(count, 4))
        target = generator.integers(classes, size=count) if classes else generator.normal(size=count)
        turn = np.where(target % 2 == 0, 1.0, -1.0) if classes else np.tanh(target)
        alpha = 1.2 + 0.3 * np.tanh(features[:, 1])
        at_300 = 4e-4 * turn * np.tanh(features[:, 0] + 0.5) * (1 + 0.3 * np.tanh(features[:, 2]))
        at_300 += own * DEVIATION * generator.normal(size=count)
        return cls(Labelled(features, target), at_300 * 300**alpha, alpha, features[:, :1])

    def psi(self, sizes: NDArray[np.int64] = SIZES) -> Floats:
        return self.c[:, None] * sizes[None] ** -self.alpha[:, None]

    def samples(self, count: int, seed: int = 1) -> Contributions:
        generator = np.random.default_rng(seed)
        sizes = generator.integers(100, 1000, size=(len(self.points), count))
        mean = self.c[:, None] * sizes ** -self.alpha[:, None]
        delta = mean + DEVIATION * (sizes / 300) ** -1.3 * generator.normal(size=sizes.shape)
        return Contributions(sizes, delta, np.ones(sizes.shape), shared=False)

    def estimator(self, classes: int, **options: Any) -> Amortised:
        return Amortised(self.points, classes, **options)


DEVIATION = 6e-4  # of one sample at 300 rows: more than the largest contribution there


def r_squared(truth: Floats, predicted: Floats) -> float:
    return float(
        1 - ((truth - predicted) ** 2).sum(axis=0).mean() / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0).mean()
    )


def psi(laws: PowerLaws, sizes: NDArray[np.int64] = SIZES) -> Floats:
    return laws.at(sizes).mean


def per_point_likelihood(samples: Contributions) -> Floats:
    """The paper's estimator of one point at a time, by a grid over alpha and beta."""
    best, fitted = np.full(samples.points, np.inf), np.zeros((samples.points, len(SIZES)))
    log_size = np.log(samples.cardinality / 300)
    for alpha in np.linspace(0.3, 3, 15):
        for beta in np.linspace(0.5, 6, 12):
            shape, weight = np.exp(-alpha * log_size), np.exp(beta * log_size)
            c = (weight * shape * samples.delta).sum(1) / (weight * shape**2).sum(1)
            variance = (weight * (samples.delta - c[:, None] * shape) ** 2).mean(1)
            loss = np.log(variance) / 2 - beta / 2 * log_size.mean(1)
            better = loss < best
            best[better] = loss[better]
            fitted[better] = c[better, None] * (SIZES / 300) ** -alpha
    return fitted


@pytest.fixture(scope="module")
def population() -> Population:
    return Population.drawn(2000, 2, seed=0)


@pytest.fixture(scope="module")
def few(population: Population) -> Contributions:
    return population.samples(10)


def test_points_share_what_ten_samples_of_one_do_not_show(population: Population, few: Contributions) -> None:
    laws = population.estimator(2, form="expected_sign", units="centred", epochs=50).fit(
        few, generator=np.random.default_rng(0)
    )
    truth = population.psi()
    for place in range(len(SIZES)):
        assert r_squared(truth[:, [place]], psi(laws)[:, [place]]) > 0.9
    assert r_squared(truth[:, [1]], per_point_likelihood(few)[:, [1]]) < 0.5
    assert np.isnan(laws.at(SIZES).std_error).all()
    np.testing.assert_allclose(np.median(laws.beta), 2.6, atol=0.15)
    at_300 = laws.parameters()["sigma"] * 300 ** (-laws.beta / 2)
    np.testing.assert_allclose(np.median(at_300), DEVIATION, rtol=0.05)


def test_without_the_sign_it_fails(population: Population, few: Contributions, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sign(outputs: Tensor, delta: Tensor, log_size: Tensor) -> Tensor:
        return torch.minimum(*amortised_law.signed_losses(outputs, delta, log_size))

    monkeypatch.setattr(amortised_law, "sign_and_size_losses", no_sign)
    laws = population.estimator(2, epochs=20).fit(few, generator=np.random.default_rng(0))
    assert r_squared(population.psi(), psi(laws)) < 0.2
    assert (laws.level >= 0).all()


def test_points_that_were_never_sampled_are_valued(population: Population, few: Contributions) -> None:
    half = np.arange(1500)
    part = replace(population, points=population.points.take(half))
    networks = part.estimator(2, form="expected_sign", epochs=40).train(
        few.of_points(half), generator=np.random.default_rng(0)
    )
    rest = np.arange(1500, 2000)
    laws = networks.predict(population.points.take(rest))
    assert r_squared(population.psi()[rest][:, [1]], psi(laws)[:, [1]]) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "inputs"), [(3, "features"), (0, "both")])
def test_many_classes_and_none(classes: int, inputs: Any) -> None:
    """Covariates in this population repeat a feature."""
    population = Population.drawn(1200, classes, seed=2)
    estimator = population.estimator(classes, inputs=inputs, units="centred", form="expected_sign", epochs=60)
    laws = estimator.fit(population.samples(40), population.own, np.random.default_rng(0))
    assert r_squared(population.psi()[:, [1]], psi(laws)[:, [1]]) > 0.85


def test_rare_and_absent_classes_have_finite_laws() -> None:
    population = Population.drawn(60, 2, seed=3)
    target = population.points.target.copy()
    target[0] = 3  # one point of class 3, none of class 2
    points = Labelled(population.points.features, target)
    networks = Amortised(points, 4, epochs=3).train(population.samples(5), generator=np.random.default_rng(0))
    assert 0 not in networks.members[0].unseen
    laws = networks.predict(Labelled(points.features, np.full(60, 2)))
    assert np.isfinite(psi(laws)).all()


def test_the_same_generator_gives_the_same_bytes_and_the_global_one_is_left_alone() -> None:
    population = Population.drawn(150, 2, seed=4)
    estimator, samples = population.estimator(2, epochs=4, ensemble=2), population.samples(5)
    first = estimator.fit(samples, generator=np.random.default_rng(7))
    torch.manual_seed(99)
    before = torch.get_rng_state()
    second = estimator.fit(samples, generator=np.random.default_rng(7))
    assert torch.equal(before, torch.get_rng_state())
    assert first.level.tobytes() == second.level.tobytes()
    assert first.beta.tobytes() == second.beta.tobytes()
    assert not np.array_equal(first.level, estimator.fit(samples, generator=np.random.default_rng(8)).level)


def test_centred_units_do_not_depend_on_the_data_s_units() -> None:
    """Contributions a million times as large give levels a million times as large, to single precision."""
    population = Population.drawn(150, 2, seed=5)
    estimator, samples = population.estimator(2, epochs=3, units="centred"), population.samples(5)
    small = estimator.fit(samples, generator=np.random.default_rng(0))
    large = estimator.fit(replace(samples, delta=samples.delta * 2.0**20), generator=np.random.default_rng(0))
    np.testing.assert_allclose(large.level, small.level * 2.0**20, rtol=1e-4)
    np.testing.assert_allclose(large.spread, small.spread * 2.0**20, rtol=1e-4)


@pytest.mark.slow
def test_own_samples_add_what_features_do_not_show() -> None:
    population = Population.drawn(1500, 2, seed=6, own=0.3)
    estimator, samples = population.estimator(2, form="expected_sign", epochs=50), population.samples(60)
    networks = estimator.train(samples, generator=np.random.default_rng(0))
    at_300 = np.array([300])
    plain = psi(networks.predict(population.points), at_300)
    updated = psi(networks.updated(population.points, samples), at_300)
    truth = population.psi(at_300)
    assert 0.25 < np.sqrt(networks.misfit) < 0.45  # what the networks have not learned counts too
    assert r_squared(truth, updated) > r_squared(truth, plain) + 0.1
    assert np.array_equal(psi(replace(networks, misfit=0.0).updated(population.points, samples), at_300), plain)


@pytest.mark.slow
def test_errors_of_an_ensemble_cover_what_features_do_not_show() -> None:
    """Points' own parts are three tenths of a deviation: the networks' spread alone covers far fewer than 95 %."""
    population = Population.drawn(600, 2, seed=9, own=0.3)
    estimator = population.estimator(2, form="expected_sign", epochs=25, ensemble=3, units="centred")
    networks = estimator.train(population.samples(40), generator=np.random.default_rng(0))
    at_300 = np.array([300])

    def covered(laws: PowerLaws) -> float:
        low, high = replace(laws, freedom=np.inf).at(at_300).interval()
        return float(((low < population.psi(at_300)) & (population.psi(at_300) < high)).mean())

    laws = networks.predict(population.points)
    assert laws.freedom == 2
    assert covered(laws) > 0.7
    assert covered(replace(networks, inflation=1.0).predict(population.points)) < 0.6
    assert covered(networks.updated(population.points, population.samples(40))) > 0.85


def test_observed_contributions_are_weighted_least_squares() -> None:
    population = Population.drawn(5, 2, seed=7)
    samples = population.samples(12)
    log_size = np.log(samples.cardinality / 300)
    laws = np.stack([np.zeros(5), population.alpha, np.full(5, 0.2), np.full(5, 2.6)], axis=1)
    own = observe(samples.delta, log_size, laws)
    for row in range(5):
        shape, deviation = np.exp(-population.alpha[row] * log_size[row]), 0.2 * np.exp(-1.3 * log_size[row])
        scaled = (shape / deviation)[:, None]
        wanted, *_ = np.linalg.lstsq(scaled, samples.delta[row] / deviation, rcond=None)
        assert own.estimate[row] == pytest.approx(wanted[0])
        assert own.variance[row] == pytest.approx(1 / (scaled**2).sum())


def test_the_excess_is_estimated_and_never_negative() -> None:
    """Errors of variance 1 + 3 v; the mean of 4000 squares is within 0.15 of one, far inside three deviations."""
    generator = np.random.default_rng(0)
    spread = generator.uniform(0.5, 2, 4000)
    error = generator.normal(size=4000) * np.sqrt(1 + 3 * spread)
    assert excess(error, np.ones(4000), spread) == pytest.approx(3, rel=0.15)
    assert excess(error / 10, np.ones(4000), spread) == 0
    assert excess(error, np.ones(4000), np.zeros(4000)) == 0


def test_every_class_keeps_a_point_to_train_on() -> None:
    label = np.array([0] * 30 + [1] * 15 + [2])
    chosen, judges = hold_out(label, 0.1, np.random.default_rng(0))
    assert sorted([*chosen, *judges]) == list(range(46))
    assert np.bincount(label[judges], minlength=3).tolist() == [3, 2, 0]
    chosen, judges = hold_out(np.array([0, 0, 1]), 0.1, np.random.default_rng(0))
    assert len(judges) == 1
    with pytest.raises(ValueError, match="of a class"):
        hold_out(np.array([0, 1]), 0.1, np.random.default_rng(0))


def test_what_does_not_match_is_refused() -> None:
    population = Population.drawn(20, 2, seed=8)
    samples = population.samples(3)
    with pytest.raises(ValueError, match="generator"):
        population.estimator(2).fit(samples)
    with pytest.raises(ValueError, match="samples of 10 points for 20"):
        population.estimator(2).fit(samples.of_points(np.arange(10)), generator=np.random.default_rng(0))
    with pytest.raises(ValueError, match="needs covariates"):
        population.estimator(2, inputs="both").fit(samples, generator=np.random.default_rng(0))
