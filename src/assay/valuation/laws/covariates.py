"""Covariates of each point from one model of the whole pool, before any contribution is sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from assay.valuation.contributions.setting import Labelled, Setting

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LIMIT = 4.0  # standard deviations
TINY = 1e-12
MOST_PARAMETERS = (
    1_500  # of the softmax fit whose Hessian is written out; beyond, features go through principal components
)


def covariates_of(setting: Setting, cardinality: int = 400) -> Floats:
    """Covariates [n, q] of the points, standardised over them and clipped at 4; columns that do not vary are left out.

    From a penalised logistic (softmax, linear) fit on the pool, whatever the setting's model, whose Hessian is rescaled to
    `cardinality` rows. i1 and q are the first- and second-order changes of the utility that one step towards the point
    makes, n_z the first-order standard deviation under the valid gradient's own scatter. Binary: margin, margin^2, p,
    p^2, log p, log leverage, label, log n_z, i1/n_z, asinh(i1/n_z), q/n_z, with p the probability of the wrong class. More
    classes: the same with the margin over the likeliest other class, and an indicator for each class. Regression: the
    absolute residual in the place of p, signed residual, its square, log leverage, and the same changes. [ours]
    """
    return standardised(raw_covariates(setting, cardinality))


def raw_covariates(setting: Setting, cardinality: int = 400) -> Floats:
    """The same [n, q] before they are standardised: as many columns whichever points they are of."""
    with threadpool_limits(1):  # sums of several threads are rounded in another order
        if setting.kind == "regression":
            columns = _regression(setting, cardinality)
        elif setting.classes == 2:
            columns = _binary(setting, cardinality)
        else:
            columns = _softmax(setting, cardinality)
        return np.column_stack(columns)


def standardised(columns: Floats) -> Floats:
    """Columns [n, q'] in standard deviations from their means, clipped at 4, without those that do not vary."""
    spread = columns.std(axis=0)
    varied = spread > 1e-10 * (1 + np.abs(columns).max(axis=0))
    chosen = columns[:, varied]
    return np.asarray(np.clip((chosen - chosen.mean(axis=0)) / spread[varied], -LIMIT, LIMIT))


@dataclass(frozen=True, eq=False)
class _Changes:
    """First-order change i1, second-order q, and noise n_z of the utility when a point joins, each [n]."""

    first: Floats
    second: Floats
    noise: Floats

    def columns(self) -> list[Floats]:
        noise = np.maximum(self.noise, TINY * max(float(self.noise.max()), TINY))
        ratio = self.first / noise
        return [np.log(noise), ratio, np.arcsinh(ratio), self.second / noise]


def _changes(step: Floats, gradient: Floats, valid_hessian: Floats, inverse: Floats) -> _Changes:
    """From steps [n, P] that the points make, the valid loss's gradient [P] and Hessian, and the fit's inverse Hessian."""
    pulled = step @ valid_hessian
    second = 0.5 * (pulled * step).sum(axis=1)
    noise = np.sqrt(np.maximum(((pulled @ inverse) * pulled).sum(axis=1), 0.0))
    return _Changes(-(step @ gradient), second, noise)


def _penalty(width: int) -> Floats:
    """Ridge of one on all but the intercept, as scikit-learn's logistic regression has with C=1."""
    penalty = np.ones(width)
    penalty[-1] = 1e-6
    return penalty


def _rows(part: Labelled) -> Floats:
    return np.column_stack([part.features, np.ones(len(part))])


def _binary(setting: Setting, cardinality: int) -> list[Floats]:
    points, pool, valid = (
        _rows(part) * (2.0 * part.target - 1)[:, None] for part in (setting.points, setting.pool, setting.valid)
    )
    weight = _logistic(setting.pool)
    toward, wrong = _sigmoid(-(pool @ weight)), _sigmoid(-(valid @ weight))
    scatter = (pool * (toward * (1 - toward))[:, None]).T @ pool
    inverse = _inverse(scatter * (cardinality / len(pool)) + np.diag(_penalty(len(weight))))
    valid_hessian = (valid * (wrong * (1 - wrong))[:, None]).T @ valid / len(valid)
    margin = points @ weight
    probability = _sigmoid(-margin)
    direction = points @ inverse
    leverage = (direction * points).sum(axis=1)
    changes = _changes(probability[:, None] * direction, -(wrong @ valid) / len(valid), valid_hessian, inverse)
    logs = [np.log(probability + TINY), np.log(leverage)]
    label = setting.points.target.astype(np.float64)
    return [margin, margin**2, probability, probability**2, *logs, label, *changes.columns()]


def _logistic(pool: Labelled) -> Floats:
    """Weights and intercept of a penalised logistic regression."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(pool.features, pool.target)
    sign = 1.0 if fitted.classes_[-1] == 1 else -1.0
    return sign * np.concatenate([fitted.coef_[0], fitted.intercept_])


def _softmax(setting: Setting, cardinality: int) -> list[Floats]:
    from sklearn.linear_model import LogisticRegression

    setting = _narrowed(setting)
    points, pool, valid = (_rows(part) for part in (setting.points, setting.pool, setting.valid))
    fitted = LogisticRegression(C=1.0, max_iter=2000).fit(setting.pool.features, setting.pool.target)
    width, classes = pool.shape[1], setting.classes
    weight = np.zeros((classes, width))
    intercept = np.full(classes, -30.0)
    # of two classes scikit-learn fits the log odds of the second alone
    present = fitted.classes_ if len(fitted.intercept_) > 1 else fitted.classes_[1:]
    intercept[fitted.classes_] = 0.0
    intercept[present] = fitted.intercept_
    weight[present, :-1] = fitted.coef_
    weight[:, -1] = intercept
    chance, judged, own = (_probabilities(rows @ weight.T) for rows in (pool, valid, points))
    penalty = np.tile(_penalty(width), classes) + 1e-6
    inverse = _inverse(_softmax_hessian(pool, chance) * (cardinality / len(pool)) + np.diag(penalty))
    valid_hessian = _softmax_hessian(valid, judged) / len(valid)
    gradient = ((judged - np.eye(classes)[setting.valid.target]).T @ valid / len(valid)).ravel()
    residual = np.eye(classes)[setting.points.target] - own
    step = np.einsum("nc,nd->ncd", residual, points).reshape(len(points), -1) @ inverse
    leverage = np.einsum(
        "nd,cdce,ne->n", points, inverse.reshape(classes, width, classes, width), points, optimize=True
    )
    true = own[np.arange(len(points)), setting.points.target]
    scores = points @ weight.T
    other = np.where(np.eye(classes, dtype=bool)[setting.points.target], -np.inf, scores).max(axis=1)
    margin, wrong = scores[np.arange(len(points)), setting.points.target] - other, 1 - true
    labels = [(setting.points.target == each).astype(np.float64) for each in range(classes - 1)]
    logs = [np.log(wrong + TINY), np.log(leverage)]
    changes = _changes(step, gradient, valid_hessian, inverse).columns()
    return [margin, margin**2, wrong, wrong**2, *logs, *labels, *changes]


def _narrowed(setting: Setting) -> Setting:
    """The same on principal components of the pool where the softmax Hessian would be too wide."""
    from dataclasses import replace

    most = max(2, MOST_PARAMETERS // setting.classes - 1)
    pool = setting.pool.features
    if pool.shape[1] <= most:
        return setting
    centre = pool.mean(axis=0)
    _, vectors = np.linalg.eigh((pool - centre).T @ (pool - centre))
    leading = vectors[:, ::-1][:, :most]
    parts = (
        Labelled((part.features - centre) @ leading, part.target)
        for part in (setting.points, setting.pool, setting.valid)
    )
    points, narrow, valid = parts
    return replace(setting, points=points, pool=narrow, valid=valid)


def _softmax_hessian(rows: Floats, chance: Floats) -> Floats:
    """Sum over rows of (diag(p) - p p') x x', [C width, C width]."""
    classes, width = chance.shape[1], rows.shape[1]
    products = np.empty((classes, width, classes, width))
    for first in range(classes):
        for second in range(first, classes):
            weight = chance[:, first] * ((first == second) - chance[:, second])
            products[first, :, second] = (rows * weight[:, None]).T @ rows
            products[second, :, first] = products[first, :, second]
    return products.reshape(classes * width, classes * width)


def _regression(setting: Setting, cardinality: int) -> list[Floats]:
    points, pool, valid = (_rows(part) for part in (setting.points, setting.pool, setting.valid))
    scatter, small = pool.T @ pool, 1e-6 * np.eye(pool.shape[1])
    weight = np.linalg.solve(scatter + small * len(pool), pool.T @ setting.pool.target)
    inverse = _inverse(scatter * (cardinality / len(pool)) + small * cardinality)
    residual = setting.points.target - points @ weight
    missed = setting.valid.target - valid @ weight
    direction = points @ inverse
    leverage = (direction * points).sum(axis=1)
    step = residual[:, None] * direction / (1 + leverage)[:, None]
    changes = _changes(step, -2 * missed @ valid / len(valid), 2 * valid.T @ valid / len(valid), inverse)
    size = np.abs(residual)
    logs = [np.log(size + 1e-3 * size.mean() + TINY), np.log(leverage)]
    return [residual, residual**2, size, *logs, setting.points.target.astype(np.float64), *changes.columns()]


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))


def _probabilities(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
