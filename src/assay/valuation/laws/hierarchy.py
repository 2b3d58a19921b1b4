"""A hierarchical model of the contributions of many points, fitted by expectation-maximisation in closed form.

With x = k/reference: delta = s r'f(x) + Normal(0, s^2 x^-beta), r ~ Normal(B'z, Omega), log s ~ Normal(b'z, .), beta ~ Normal,
where z are covariates of the point and f the terms of a `Form`. The integral over r is closed; beta, log s and the power
form's alpha run over grids, that of log s about each point's own. Source: [derived].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.valuation.contributions.samples import Contributions
from assay.valuation.laws.forms import Form

Floats = NDArray[np.float64]

BETAS = np.arange(1.0, 7.01, 0.5)
NODES = np.linspace(-4.0, 4.0, 15)  # of log s, in standard deviations of what is known of it
BLOCK = 1_000  # points in memory at once


@dataclass(frozen=True, eq=False)
class Prior:
    """Beliefs about a point with covariates z before its samples are seen.

    terms [q, p] and omega [p, p] are of r; scale [q] and scale_spread of log s; shape [q] and shape_spread of alpha.
    """

    terms: Floats
    omega: Floats
    scale: Floats
    scale_spread: float
    beta: float
    beta_spread: float
    shape: Floats
    shape_spread: float


@dataclass(frozen=True, eq=False)
class Posterior:
    """Moments of s r for each of A shapes, weighted by the shape's probability: first [n, A, p], second [n, A, p, p].

    log_scale and beta are means [n] over the posterior, noise [n, 2, 2] their covariance.
    """

    form: Form
    reference: float
    prior: Prior
    first: Floats
    second: Floats
    log_scale: Floats
    beta: Floats
    noise: Floats

    def moments(self, terms: Floats) -> tuple[Floats, Floats]:
        """Mean and variance, both [n, K], of the K combinations of s r that `terms` [A, K, p] state for each shape."""
        mean = np.einsum("akp,nap->nk", terms, self.first)
        second = np.einsum("akp,napr,akr->nk", terms, self.second, terms, optimize=True)
        return mean, np.maximum(second - mean**2, 0.0)

    def covariance(self, terms: Floats) -> Floats:
        """Covariance [n, K, K] of those combinations."""
        mean = np.einsum("akp,nap->nk", terms, self.first)
        second = np.einsum("akp,napr,alr->nkl", terms, self.second, terms, optimize=True)
        return np.asarray(second - mean[:, :, None] * mean[:, None, :])


class _Sums(NamedTuple):
    """Of n points: gram [n, A, B, p, p], along [n, A, B, p], square [n, B], logs [n]; and the number of samples."""

    gram: Floats
    along: Floats
    square: Floats
    logs: Floats
    samples: int


class _Known(NamedTuple):
    """Posterior expectations [n, ...] that the next prior is made of, and where log s is to be sought."""

    terms: Floats
    terms_second: Floats
    log_scale: Floats
    log_scale_variance: Floats
    beta: Floats
    beta_second: Floats
    shape: Floats
    shape_second: Floats


class _Node(NamedTuple):
    """Posterior of r at every (shape, beta): by the data over s [n, A, B, p], by the prior, and covariance [n, A, B, p, p]."""

    data: Floats
    prior: Floats
    spread: Floats
    weight: Floats  # [n, A, B, T]
    log_scale: Floats  # [n, T]


def fit_hierarchy(
    samples: Contributions,
    design: Floats,
    form: Form,
    *,
    temper: float = 1.0,
    start: Prior | None = None,
    steps: int = 25,
) -> Posterior:
    """The posterior of each point, its prior learned from all of them; `design` [n, q] has a column of ones first.

    The likelihood of (s, beta), the term r integrated out, is raised to the power `temper`: below 1 where samples with heavy
    tails say less about their spread than Gaussian ones would.
    """
    reference = float(np.exp(np.log(samples.cardinality).mean()))
    blocks = [slice(at, at + BLOCK) for at in range(0, samples.points, BLOCK)]
    sums = [_sums(samples.cardinality[rows] / reference, samples.delta[rows], form) for rows in blocks]
    energy = (samples.delta**2 * (samples.cardinality / reference) ** 3).mean(axis=1)
    floor = 1e-8 * float(np.median(energy[energy > 0])) if (energy > 0).any() else 1.0
    centre, width = 0.5 * np.log(np.maximum(energy, floor)), np.full(samples.points, 0.6)
    prior = start if start is not None else _first_prior(design.shape[1], form, float(np.median(centre)))
    ridge = _ridge(design)
    for _ in range(steps):
        known = _joined(
            [
                _expected(_nodes(part, design[rows], form, prior, centre[rows], width[rows], temper), form)
                for part, rows in zip(sums, blocks, strict=True)
            ]
        )
        prior = _next_prior(known, design, ridge, form)
        centre, width = known.log_scale, np.sqrt(known.log_scale_variance).clip(min=0.02)
    last = [
        _moments(_nodes(part, design[rows], form, prior, centre[rows], width[rows], temper))
        for part, rows in zip(sums, blocks, strict=True)
    ]
    first, second, log_scale, beta, noise = (np.concatenate(each) for each in zip(*last, strict=True))
    return Posterior(form, reference, prior, first, second, log_scale, beta, noise)


def _sums(size: Floats, delta: Floats, form: Form) -> _Sums:
    shapes, count = len(form.shapes), form.count
    gram = np.empty((len(delta), shapes, len(BETAS), count, count))
    along, square = np.empty(gram.shape[:-1]), np.empty((len(delta), len(BETAS)))
    terms = [form.terms(size, shape) for shape in form.shapes]
    for column, beta in enumerate(BETAS):
        weight = size**beta
        square[:, column] = (weight * delta**2).sum(axis=1)
        for row, each in enumerate(terms):
            lean = weight[:, :, None] * each
            gram[:, row, column] = np.swapaxes(lean, 1, 2) @ each
            along[:, row, column] = np.einsum("nmp,nm->np", lean, delta)
    return _Sums(gram, along, square, np.log(size).sum(axis=1), delta.shape[1])


def _nodes(
    sums: _Sums, design: Floats, form: Form, prior: Prior, centre: Floats, width: Floats, temper: float
) -> _Node:
    inverse = np.linalg.inv(prior.omega)
    expected = design @ prior.terms
    pulled = expected @ inverse
    precision = sums.gram + inverse
    spread = np.linalg.inv(precision)
    data = np.einsum("nabpr,nabr->nabp", spread, sums.along)
    data_mean = np.einsum("nabpr,nr->nabp", spread, pulled)
    by_square = ((sums.along * data).sum(axis=-1) - sums.square[:, None, :]) / 2
    by_one = np.einsum("nabp,np->nab", data, pulled)
    constant = (np.einsum("nabp,np->nab", data_mean, pulled) - np.linalg.slogdet(precision)[1]) / 2
    constant += (BETAS / 2) * sums.logs[:, None, None]
    constant -= ((pulled * expected).sum(axis=1) / 2)[:, None, None]
    if len(form.shapes) > 1:
        off = np.asarray(form.shapes) - (design @ prior.shape)[:, None]
        constant -= (off**2 / (2 * prior.shape_spread**2))[:, :, None]
    log_scale = centre[:, None] + width[:, None] * NODES
    scale = np.exp(log_scale)[:, None, None, :]
    likelihood = by_square[..., None] / scale**2 + by_one[..., None] / scale + constant[..., None]
    likelihood -= sums.samples * log_scale[:, None, None, :]
    pooled = _log_sum(likelihood, (1,))
    off = (log_scale - (design @ prior.scale)[:, None]) ** 2 / (2 * prior.scale_spread**2)
    belief = -((BETAS - prior.beta) ** 2 / (2 * prior.beta_spread**2))[None, :, None] - off[:, None, :]
    weight = likelihood - pooled + (temper * pooled + belief[:, None])
    return _Node(data, data_mean, spread, np.exp(weight - _log_sum(weight, (1, 2, 3))), log_scale)


def _expected(node: _Node, form: Form) -> _Known:
    inverse = np.exp(-node.log_scale)[:, None, None, :]
    plain, once, twice = (each.sum(axis=-1) for each in (node.weight, node.weight * inverse, node.weight * inverse**2))
    terms = np.einsum("nab,nabp->np", once, node.data) + np.einsum("nab,nabp->np", plain, node.prior)
    second = _quadratic(plain, once, twice, node).sum(axis=1)
    over = node.weight.sum(axis=(1, 2))
    mean = (over * node.log_scale).sum(axis=1)
    variance = (over * (node.log_scale - mean[:, None]) ** 2).sum(axis=1)
    betas, shapes = plain.sum(axis=1), plain.sum(axis=2)
    shape = np.asarray(form.shapes)
    return _Known(terms, second, mean, variance, betas @ BETAS, betas @ BETAS**2, shapes @ shape, shapes @ shape**2)


def _moments(node: _Node) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """First and second moments of s r by shape, means of log s and beta, and their covariance."""
    scale = np.exp(node.log_scale)[:, None, None, :]
    plain, once, twice = (each.sum(axis=-1) for each in (node.weight, node.weight * scale, node.weight * scale**2))
    first = (plain[..., None] * node.data + once[..., None] * node.prior).sum(axis=2)
    # s r = data + s prior: the same form as r = data / s + prior, with the roles of the two exchanged.
    turned = node._replace(data=node.prior, prior=node.data)
    second = _quadratic(plain, once, twice, turned)
    second += np.einsum("nab,nabpr->napr", twice - plain, node.spread)
    betas, over = plain.sum(axis=1), node.weight.sum(axis=1)
    log_scale, beta = (over.sum(axis=1) * node.log_scale).sum(axis=1), betas @ BETAS
    off_scale, off_beta = node.log_scale - log_scale[:, None], BETAS - beta[:, None]
    cross = np.einsum("nbt,nt,nb->n", over, off_scale, off_beta)
    squares = np.einsum("nbt,nt->n", over, off_scale**2), np.einsum("nb,nb->n", betas, off_beta**2)
    noise = np.stack([squares[0], cross, cross, squares[1]], axis=1).reshape(-1, 2, 2)
    return first, second, log_scale, beta, noise


def _quadratic(plain: Floats, once: Floats, twice: Floats, node: _Node) -> Floats:
    """Second moment [n, A, p, p] of u data + prior + Normal(0, spread), where u has moments once/plain and twice/plain."""
    mixed = np.einsum("nab,nabp,nabr->napr", once, node.data, node.prior)
    second = np.einsum("nab,nabpr->napr", plain, node.spread)
    second += np.einsum("nab,nabp,nabr->napr", twice, node.data, node.data)
    second += np.einsum("nab,nabp,nabr->napr", plain, node.prior, node.prior)
    return np.asarray(second + mixed + np.swapaxes(mixed, -1, -2))


def _first_prior(columns: int, form: Form, scale: float) -> Prior:
    start = np.zeros(columns)
    start[0] = 1.0
    omega = 0.3 * np.eye(form.count)
    return Prior(np.zeros((columns, form.count)), omega, scale * start, 1.0, 3.0, 0.8, 1.2 * start, 0.4)


def _next_prior(known: _Known, design: Floats, ridge: Floats, form: Form) -> Prior:
    """Ridge regressions on the covariates, and second moments about them; spreads have floors, so that none collapses."""
    terms, scale, shape = ridge @ known.terms, ridge @ known.log_scale, ridge @ known.shape
    off = known.terms - design @ terms
    within = known.terms_second - known.terms[:, :, None] * known.terms[:, None, :]
    omega = (within + off[:, :, None] * off[:, None, :]).mean(axis=0) + 1e-8 * np.eye(form.count)
    beta = float(known.beta.mean())
    moved = known.shape_second - known.shape**2 + (known.shape - design @ shape) ** 2
    return Prior(
        terms,
        omega,
        scale,
        _root((known.log_scale_variance + (known.log_scale - design @ scale) ** 2).mean(), 0.03),
        beta,
        _root((known.beta_second - 2 * beta * known.beta + beta**2).mean(), 0.2),
        shape,
        _root(moved.mean(), 0.1),
    )


def _ridge(design: Floats) -> Floats:
    """Operator [q, n] of ridge regression with a penalty of one row on all but the first column."""
    penalty = np.ones(design.shape[1])
    penalty[0] = 1e-6
    return np.asarray(np.linalg.solve(design.T @ design + np.diag(penalty), design.T), dtype=np.float64)


def _root(variance: float, least: float) -> float:
    return max(float(np.sqrt(max(variance, 0.0))), least)


def _joined(parts: list[_Known]) -> _Known:
    return _Known(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _log_sum(values: Floats, axes: tuple[int, ...]) -> Floats:
    top = values.max(axis=axes, keepdims=True)
    return np.asarray(top + np.log(np.exp(values - top).sum(axis=axes, keepdims=True)))
