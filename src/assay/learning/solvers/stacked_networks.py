"""Networks of one hidden layer that share all their rows but one, trained at once by full-batch Adam.

Step for step what scikit-learn's MLPClassifier and MLPRegressor do (solver adam, relu, one batch): the loss, its penalty,
the start and the rule to stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from assay.learning.models.mlp import ADAM_DECAY, ADAM_STEP

Floats = NDArray[np.float64]

FIRST_MOMENT, SECOND_MOMENT, EPSILON = 0.9, 0.999, 1e-8
TOLERANCE, PATIENCE = 1e-4, 10  # stops after PATIENCE + 1 losses in a row that gain no more than TOLERANCE
_BLOCK = 2**16  # hidden units of a block of networks: what stays in a core's cache


@dataclass(frozen=True, eq=False)
class CodedRows:
    """Features [n, d] and coded targets [n, outputs]."""

    features: Floats
    target: Floats


@dataclass(frozen=True, eq=False)
class Networks:
    """R networks: `hidden` [R, d + 1, h] with the biases as last row, `last` [R, h + 1, outputs] likewise."""

    hidden: Floats
    last: Floats

    def __len__(self) -> int:
        return len(self.hidden)

    def take(self, chosen: NDArray[np.bool_]) -> Networks:
        """Some of the networks."""
        return Networks(self.hidden[chosen], self.last[chosen])


def drawn_networks(features: int, hidden: int, outputs: int, seed: int) -> Networks:
    """The one network [1, ...] that scikit-learn starts from with random_state=seed (Glorot & Bengio 2010, uniform)."""
    generator = np.random.RandomState(seed)
    layers = []
    for entering, leaving in ((features, hidden), (hidden, outputs)):
        bound = np.sqrt(6 / (entering + leaving))
        weights = generator.uniform(-bound, bound, (entering, leaving))
        layers.append(np.concatenate([weights, generator.uniform(-bound, bound, leaving)[None]])[None])
    return Networks(*layers)


def outputs(networks: Networks, features: Floats) -> Iterator[tuple[slice, Floats]]:
    """Outputs [block, n, outputs] before the last nonlinearity, block by block of networks."""
    rows = _with_ones(features)
    for block in _blocks(len(networks), len(rows) * networks.hidden.shape[2]):
        units = np.maximum(rows @ networks.hidden[block], 0)
        yield block, units @ networks.last[block, :-1] + networks.last[block, -1:]


def trained(
    start: Networks, shared: CodedRows, joined: CodedRows, weight: Floats, kind: str, iterations: int
) -> Networks:
    """Networks [R] trained from one start, network r on the shared rows and, with weight[r] of 0 or 1, on row r of `joined`.

    Adam on the mean loss (cross-entropy, or half the squared error) + ADAM_DECAY |weights|^2 / 2n, biases free of it.
    """
    count = len(weight)
    running = Networks(*(np.repeat(each, count, axis=0) for each in (start.hidden, start.last)))
    final = Networks(np.empty_like(running.hidden), np.empty_like(running.last))
    moments = [Networks(np.zeros_like(running.hidden), np.zeros_like(running.last)) for _ in range(2)]
    gradient = _Gradient(_with_ones(shared.features), shared.target, kind)
    alone = CodedRows(_with_ones(joined.features), joined.target)
    places, best, idle = np.arange(count), np.full(count, np.inf), np.zeros(count, dtype=np.int64)
    for iteration in range(1, iterations + 1):
        loss, slope = gradient(running, alone, weight)
        _adam_step(running, slope, moments, iteration)
        idle = np.where(loss > best - TOLERANCE, idle + 1, 0)
        best = np.minimum(best, loss)
        done = (idle > PATIENCE) | (iteration == iterations)
        if not done.any():
            continue
        final.hidden[places[done]], final.last[places[done]] = running.hidden[done], running.last[done]
        if done.all():
            break
        left = ~done
        running, moments = running.take(left), [each.take(left) for each in moments]
        alone, weight = CodedRows(alone.features[left], alone.target[left]), weight[left]
        places, best, idle = places[left], best[left], idle[left]
    return final


@dataclass(frozen=True, eq=False)
class _Gradient:
    rows: Floats  # [k, d + 1], the last column ones
    target: Floats  # [k, outputs]
    kind: str

    def __call__(self, at: Networks, alone: CodedRows, weight: Floats) -> tuple[Floats, Networks]:
        """Loss [R] and its gradient."""
        slope = Networks(np.empty_like(at.hidden), np.empty_like(at.last))
        loss = np.empty(len(at))
        for block in _blocks(len(at), len(self.rows) * at.hidden.shape[2]):
            loss[block] = self._shared(Networks(at.hidden[block], at.last[block]), slope, block)
        loss += self._joined(at, alone, weight, slope)
        total = len(self.rows) + weight
        penalised = at.hidden[:, :-1], at.last[:, :-1]
        loss += ADAM_DECAY / 2 * sum(np.einsum("rij,rij->r", each, each) for each in penalised)
        slope.hidden[:, :-1] += ADAM_DECAY * penalised[0]
        slope.last[:, :-1] += ADAM_DECAY * penalised[1]
        for each in (slope.hidden, slope.last):
            each /= total[:, None, None]
        return loss / total, slope

    def _shared(self, at: Networks, slope: Networks, block: slice) -> Floats:
        units = self.rows @ at.hidden
        np.maximum(units, 0, out=units)
        loss, error = _loss(units @ at.last[:, :-1] + at.last[:, -1:], self.target, self.kind)
        slope.last[block, :-1] = units.transpose(0, 2, 1) @ error
        slope.last[block, -1] = error.sum(axis=1)
        back = at.last[:, :-1].transpose(0, 2, 1)
        if error.shape[2] == 1:
            # the last layer's weight is the same for all rows of a unit, so it can wait until rows are summed
            np.greater(units, 0, out=units, casting="unsafe")
            units *= error
            slope.hidden[block] = self.rows.T @ units * back
        else:
            slope.hidden[block] = self.rows.T @ ((units > 0) * (error @ back))
        return np.asarray(loss.sum(axis=1))

    def _joined(self, at: Networks, alone: CodedRows, weight: Floats, slope: Networks) -> Floats:
        units = np.maximum(alone.features[:, None] @ at.hidden, 0)
        loss, error = _loss(units @ at.last[:, :-1] + at.last[:, -1:], alone.target[:, None], self.kind)
        error *= weight[:, None, None]
        slope.last[:, :-1] += units.transpose(0, 2, 1) * error
        slope.last[:, -1] += error[:, 0]
        slope.hidden[:] += alone.features[:, :, None] * ((units > 0) * (error @ at.last[:, :-1].transpose(0, 2, 1)))
        return np.asarray(loss[:, 0] * weight)


def _loss(values: Floats, target: Floats, kind: str) -> tuple[Floats, Floats]:
    """Loss [R, n] of outputs [R, n, outputs], and its derivative by them."""
    if kind == "regression":
        error = values - target
        return error[..., 0] ** 2 / 2, error
    smallest = np.finfo(np.float64).eps
    if values.shape[-1] == 1:
        second = expit(values)
        chosen = np.where(target > 0, second, 1 - second)[..., 0]
        return -np.log(chosen.clip(smallest)), second - target
    probabilities = softmax(values, axis=-1)
    chosen = (probabilities * target).sum(axis=-1)
    return -np.log(chosen.clip(smallest)), probabilities - target


def _adam_step(at: Networks, slope: Networks, moments: list[Networks], iteration: int) -> None:
    """One step of every network, in place (Kingma & Ba 2015); the slope is used up."""
    size = ADAM_STEP * np.sqrt(1 - SECOND_MOMENT**iteration) / (1 - FIRST_MOMENT**iteration)
    for name in ("hidden", "last"):
        parameter, change = getattr(at, name), getattr(slope, name)
        first, second = (getattr(each, name) for each in moments)
        first *= FIRST_MOMENT
        first += (1 - FIRST_MOMENT) * change
        change *= change
        change *= 1 - SECOND_MOMENT
        second *= SECOND_MOMENT
        second += change
        np.sqrt(second, out=change)
        change += EPSILON
        np.divide(first, change, out=change)
        change *= size
        parameter -= change


def _blocks(count: int, each: int) -> Iterator[slice]:
    length = max(1, _BLOCK // each)
    return (slice(start, start + length) for start in range(0, count, length))


def _with_ones(features: Floats) -> Floats:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)
