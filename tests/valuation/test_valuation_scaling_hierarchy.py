"""Laws learned together: the posterior against its definition, coverage in a simulated population, covariates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.errors import InputError
from assay.learning.models.affine import Linear, Logistic
from assay.valuation.contributions.samples import Contributions
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.laws import empirical_bayes
from assay.valuation.laws.covariates import covariates_of, raw_covariates, standardised
from assay.valuation.laws.empirical_bayes import EmpiricalBayes, design_of, scale_information
from assay.valuation.laws.fit_quality import r_squared
from assay.valuation.laws.forms import POWER, TWO_TERM, Form
from assay.valuation.laws.hierarchy import BETAS, Prior, fit_hierarchy
from assay.valuation.laws.likelihood import Likelihood
from assay.valuation.laws.monte_carlo import MonteCarlo

SIZES = np.arange(100, 1000)


def population(
    points: int, samples: int, *, seed: int = 0, heavy: bool = False
) -> tuple[Contributions, np.ndarray, np.ndarray]:
    """Contributions under the two-term law with two covariates, the covariates, and the true psi_k [n, 900].

    Heavy: noise with kurtosis about 20 (Student's t of 4.4 degrees of freedom) in place of Gaussian.
    """
    generator = np.random.default_rng(seed)
    known = generator.standard_normal((points, 2))
    scale = np.exp(-7 + 0.4 * known[:, 1] + 0.3 * generator.standard_normal(points))
    terms = 0.4 * known[:, :1] * [1.0, -0.3] + generator.standard_normal((points, 2)) * [0.25, 0.1]
    size = generator.integers(100, 1000, (points, samples))
    freedom = 4.4
    noise = (
        generator.standard_t(freedom, size.shape) / np.sqrt(freedom / (freedom - 2))
        if heavy
        else generator.standard_normal(size.shape)
    )

    def mean(sizes: np.ndarray) -> np.ndarray:
        x = sizes / 400
        return np.asarray(scale[:, None] * (terms[:, :1] / x + terms[:, 1:] / x**2))

    delta = mean(size) + scale[:, None] * (size / 400) ** -1.5 * noise
    return Contributions(size, delta, np.ones_like(delta), shared=False), known, mean(np.tile(SIZES, (points, 1)))


def test_posterior_is_that_of_brute_force_integration() -> None:
    """One term, fixed prior: moments of s r by summing the joint density over r, s and beta."""
    form = Form((1.0,))
    drawn, _, _ = population(4, 6, seed=2)
    prior = Prior(np.array([[0.2]]), np.array([[0.3]]), np.array([-7.0]), 0.5, 3.0, 0.5, np.array([1.2]), 0.4)
    temper = 0.5
    posterior = fit_hierarchy(drawn, np.ones((4, 1)), form, temper=temper, start=prior, steps=0)
    reference = np.exp(np.log(drawn.cardinality).mean())
    r, log_s = np.linspace(-4, 4, 801), np.linspace(-10, -4, 201)
    for point in range(4):
        x, delta = drawn.cardinality[point] / reference, drawn.delta[point]
        joint = np.empty((len(log_s), len(BETAS), len(r)))
        for i, log_scale in enumerate(log_s):
            scale = np.exp(log_scale)
            for j, beta in enumerate(BETAS):
                error = (delta[:, None] - scale * r / x[:, None]) * x[:, None] ** (beta / 2) / scale
                log = -(error**2).sum(axis=0) / 2 - len(x) * log_scale + beta / 2 * np.log(x).sum()
                log -= (r - 0.2) ** 2 / (2 * 0.3)
                evidence = np.log(np.exp(log - log.max()).sum()) + log.max()
                # Tempering is of the evidence of (s, beta); what is believed of r given them stays as it is.
                joint[i, j] = log - evidence + temper * evidence
                joint[i, j] -= (log_scale + 7) ** 2 / (2 * 0.25) + (beta - 3) ** 2 / (2 * 0.25)
        weight = np.exp(joint - joint.max())
        weight /= weight.sum()
        values = np.exp(log_s)[:, None, None] * r
        mean, variance = posterior.moments(form.at(np.array([1.0])))
        assert mean[point, 0] == pytest.approx((weight * values).sum(), rel=0.01)
        slow = (weight * values**2).sum() - (weight * values).sum() ** 2
        assert variance[point, 0] == pytest.approx(slow, rel=0.03)


def test_intervals_cover_in_a_population_of_the_model() -> None:
    """400 points, 10 samples: 90 % intervals of the plain model cover 0.84..0.96 (4 standard errors of a share, 0.015).

    That is where expectation-maximisation ends; after the usual 25 steps the prior is still wider, and so are the intervals.
    """
    drawn, known, true = population(400, 10)
    early = EmpiricalBayes(calibrated=False).fit(drawn, known).over(100, 999)
    laws = EmpiricalBayes(calibrated=False, steps=300).fit(drawn, known)
    over, at = laws.over(100, 999), laws.at(np.array([100, 278, 999]))
    assert 0.84 <= (np.abs(over.mean - true.mean(axis=1)) <= 1.645 * over.std_error).mean() <= 0.96
    for column, size in enumerate((100, 278, 999)):
        within = np.abs(at.mean[:, column] - true[:, size - 100]) <= 1.645 * at.std_error[:, column]
        assert 0.84 <= within.mean() <= 0.96
    assert over.std_error.mean() < early.std_error.mean() < 1.5 * over.std_error.mean()
    # The plain mean and the paper's likelihood are far behind from the same samples.
    ours = r_squared(true.mean(axis=1)[:, None], over.mean[:, None])[0]
    assert ours > 0.6
    for rival in (MonteCarlo(), Likelihood()):
        assert r_squared(true.mean(axis=1)[:, None], rival.fit(drawn).over(100, 999).mean[:, None])[0] < ours - 0.2


def test_heavy_tails_are_seen_and_calibration_widens_intervals() -> None:
    """Gaussian samples say all (share 1 up to sampling), heavy tails less; then calibrated intervals cover 0.85 or more."""
    light, _, _ = population(400, 20, seed=1)
    heavy, known, true = population(400, 20, seed=1, heavy=True)
    assert scale_information(light) > 0.75
    assert scale_information(heavy) < scale_information(light) - 0.15
    plain, ours = EmpiricalBayes(calibrated=False).fit(heavy, known), EmpiricalBayes().fit(heavy, known)
    within = [
        np.abs(law.over(100, 999).mean - true.mean(axis=1)) <= 1.645 * law.over(100, 999).std_error
        for law in (plain, ours)
    ]
    assert within[1].mean() >= max(0.85, within[0].mean())
    assert within[1].mean() <= 0.98


def test_broken_tempering_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A temper that is always 1 gives narrower intervals on heavy tails than the one that is read off the samples."""
    heavy, known, _ = population(200, 40, seed=4, heavy=True)
    right = EmpiricalBayes().fit(heavy, known).over(100, 999).std_error.mean()
    monkeypatch.setattr(empirical_bayes, "scale_information", lambda samples: 1.0)
    monkeypatch.setattr(empirical_bayes, "CAUTION", 1.0)
    assert EmpiricalBayes().fit(heavy, known).over(100, 999).std_error.mean() < right


@pytest.mark.parametrize("form", ["two_term", "three_term", "power", "blend"])
def test_every_form_scales_flips_and_repeats(form: str) -> None:
    drawn, known, true = population(40, 8, seed=5)
    estimator = EmpiricalBayes(form, steps=5)  # type: ignore[arg-type]
    laws = estimator.fit(drawn, known)
    again = estimator.fit(drawn, known, np.random.default_rng(9))
    turned = estimator.fit(replace(drawn, delta=-1e3 * drawn.delta), known)
    cards = np.array([100, 999])
    assert laws.at(cards).mean.tobytes() == again.at(cards).mean.tobytes()
    np.testing.assert_allclose(
        turned.at(cards).mean, -1e3 * laws.at(cards).mean, rtol=1e-4, atol=1e-6 * 1e3 * true.std()
    )
    np.testing.assert_allclose(turned.over(100, 999).std_error, 1e3 * laws.over(100, 999).std_error, rtol=1e-4)
    np.testing.assert_allclose(laws.at(SIZES).mean.mean(axis=1), laws.over(100, 999).mean)
    parameters = laws.parameters()
    assert all(parameters[name].shape == (40,) for name in ("c", "alpha", "sigma", "beta", "alpha_std_error"))


def test_parameters_are_the_tangent_of_the_law() -> None:
    drawn, known, _ = population(30, 20, seed=6)
    laws = EmpiricalBayes().fit(drawn, known)
    reference = laws.central[0].reference
    near = reference * np.array([0.999, 1.001])
    psi = laws.at(near).mean  # type: ignore[arg-type]
    slope = -np.log(psi[:, 1] / psi[:, 0]) / np.log(near[1] / near[0])
    np.testing.assert_allclose(laws.parameters()["alpha"], slope, rtol=1e-3)
    np.testing.assert_allclose(
        laws.parameters()["c"] * reference ** -laws.parameters()["alpha"], psi.mean(axis=1), rtol=1e-3
    )


def test_forms_and_designs() -> None:
    size = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(TWO_TERM.at(size)[0], np.stack([1 / size, 1 / size**2], axis=1))
    np.testing.assert_allclose(POWER.over(size)[:, 0, 0], [np.mean(size**-shape) for shape in POWER.shapes])
    design = design_of(3, np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]))
    assert design.shape == (3, 2)  # ones, and the column that varies
    with pytest.raises(ValueError, match="finite"):
        design_of(3, np.full((3, 1), np.nan))
    drawn, _, _ = population(5, 3)
    with pytest.raises(InputError, match="use 4 or more"):
        EmpiricalBayes().fit(drawn)
    with pytest.raises(InputError, match="too few"):
        EmpiricalBayes().fit(population(2, 6)[0])


def setting(classes: int, *, seed: int = 0, width: int = 3) -> Setting:
    generator = np.random.default_rng(seed)
    weight = generator.standard_normal((width, max(classes, 1)))

    def part(rows: int) -> Labelled:
        features = generator.standard_normal((rows, width))
        scores = features @ weight
        if classes == 0:
            return Labelled(features, scores[:, 0] + generator.standard_normal(rows))
        return Labelled(features, (scores + generator.gumbel(size=scores.shape)).argmax(axis=1))

    kind = "classification" if classes else "regression"
    return Setting(part(60), part(600), part(200), kind, classes, Logistic() if classes else Linear())


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_covariates_correlate_with_a_points_contribution(classes: int) -> None:
    """Some column correlates with what refits to 400 rows say: |r| > 0.7, where 60 unrelated points give 0.42 once in 1,000."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    problem = setting(classes)
    covariates = covariates_of(problem)
    assert covariates.shape[0] == 60
    np.testing.assert_array_less(np.abs(covariates), 4 + 1e-9)
    generator, delta = np.random.default_rng(1), np.zeros(60)

    def utility(features: np.ndarray, target: np.ndarray) -> float:
        if classes == 0:
            guess = LinearRegression().fit(features, target).predict(problem.valid.features)
            return -float(((guess - problem.valid.target) ** 2).mean())
        chance = LogisticRegression(tol=1e-8).fit(features, target).predict_log_proba(problem.valid.features)
        return float(chance[np.arange(len(chance)), problem.valid.target].mean())

    for _ in range(4):
        rows = problem.pool.take(generator.choice(600, 400, replace=False))
        base = utility(rows.features, rows.target)
        for point in range(60):
            one = problem.points.take(np.array([point]))
            delta[point] += utility(np.vstack([rows.features, one.features]), np.append(rows.target, one.target)) - base
    assert np.abs(np.corrcoef(covariates.T, delta)[-1, :-1]).max() > 0.7


def test_covariates_of_many_parameters_go_through_components() -> None:
    assert np.isfinite(covariates_of(setting(3, width=520))).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_points_of_one_class_have_the_columns_of_all(classes: int) -> None:
    """Rows of several folds are put together, and a fold may hold one class alone."""
    problem = setting(classes)
    rows = [np.flatnonzero(problem.points.target == label) for label in range(classes)]
    parts = [raw_covariates(problem.with_points(each)) for each in rows]
    together = np.concatenate(parts)[np.concatenate(rows).argsort()]
    np.testing.assert_allclose(standardised(together), covariates_of(problem), atol=1e-8)


def test_a_class_that_the_pool_lacks_leaves_the_margins_of_the_others() -> None:
    from sklearn.linear_model import LogisticRegression

    whole = setting(3)
    pool = whole.pool.take(np.flatnonzero(whole.pool.target != 1))
    points = whole.points.take(np.flatnonzero(whole.points.target != 1))
    covariates = raw_covariates(replace(whole, pool=pool, points=points))
    fitted = LogisticRegression(max_iter=2000).fit(pool.features, pool.target)
    margin = fitted.decision_function(points.features) * np.where(points.target == 2, 1, -1)
    np.testing.assert_allclose(covariates[:, 0], margin, atol=1e-6)
