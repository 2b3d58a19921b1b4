"""The contract of a model: it fits, reads and builds what it says, and refuses the rest in one line."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingRegressor

from assay.config.compose import compose
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models import Model, Shape
from contracts import in_one_line, option, option_names

NEEDS: dict[str, dict[str, Any]] = {
    "sklearn": {"estimator": "sklearn.ensemble.RandomForestClassifier"},
    "module": {"target": "contracts.Linear"},
    "estimator": {"estimator": GradientBoostingRegressor(n_estimators=20, random_state=0)},
}
"""Keys without which a model is none."""
MODELS = {name: option("model", name, **NEEDS.get(name, {})) for name in option_names("model")}
KINDS = ("regression", "classification")
MODALITIES = ("table", "image", "text")
DATASETS = {"regression": "diabetes", "classification": "wine"}
SIDE = 8
ROWS = 60


def shape_of(kind: str, modality: str, classes: int = 3) -> Shape:
    """A shape that any model of this kind and modality can serve: 64 features, or pixels."""
    return Shape(kind, 0 if kind == "regression" else classes, SIDE * SIDE, modality)


def rows_of(shape: Shape, rows: int = ROWS, seed: int = 0) -> tuple[Any, Any]:
    """Features [rows, d] of which the first few decide the target [rows]."""
    generator = np.random.default_rng(seed)
    target = generator.standard_normal(rows) if shape.kind == "regression" else np.arange(rows) % shape.classes
    features = np.abs(generator.standard_normal((rows, shape.features)))
    signal = target if shape.kind == "regression" else 2.0 * (target - target.mean())
    features[:, :32] += 2 * signal[:, None]
    return features, target


def cases(capability: str) -> list[Any]:
    """Name, kind and modality of each shape that a model with a capability says it serves."""
    return [
        pytest.param(name, kind, modality, id=f"{name}-{kind}-{modality}")
        for name, model in MODELS.items()
        for kind, modality in itertools.product(KINDS, MODALITIES)
        if getattr(model, capability) and serves(model, kind, modality)
    ]


def serves(model: Model, kind: str, modality: str) -> bool:
    """True where a model says that it fits a kind and reads a modality."""
    return kind in model.fits and modality in model.reads


@pytest.mark.parametrize("name", MODELS)
def test_a_model_can_do_something(name: str) -> None:
    model = MODELS[name]
    assert model.name == name
    assert model.row_gradients or model.fitted_whole or model.trains
    assert model.fits
    assert model.fits <= set(KINDS)
    assert model.reads
    assert model.reads <= {*MODALITIES, "tokens"}  # tokens: text that is read as it stands
    assert isinstance(hash(model), int)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("kind", "modality"), list(itertools.product(KINDS, MODALITIES)))
def test_what_a_model_serves_is_what_it_says(name: str, kind: str, modality: str) -> None:
    model = MODELS[name]
    if serves(model, kind, modality):
        chosen = model.resolved(kind, modality)
        assert serves(chosen, kind, modality)
        assert chosen.resolved(kind, modality) == chosen
        promised = (model.row_gradients, model.fitted_whole, model.closed_form)
        chosen_can = (chosen.row_gradients, chosen.fitted_whole, chosen.closed_form)
        assert all(given or not word for word, given in zip(promised, chosen_can, strict=True))
        return
    with pytest.raises(InputError) as refusal:
        model.resolved(kind, modality)
    assert in_one_line(refusal.value)
    assert f"model={name}" in str(refusal.value)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_with_a_target_that_does_not_fit_is_refused(name: str, kind: str) -> None:
    overrides = [f"model={name}", f"dataset={DATASETS[kind]}", "task=train"]
    if serves(MODELS[name], kind, "table"):
        return
    with pytest.raises(InputError) as refusal:
        compose(overrides)
    assert in_one_line(refusal.value)


def training_loss(kind: str, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Half the squared error, or the cross-entropy, of one row."""
    if kind == "regression":
        return (outputs[0] - target) ** 2 / 2
    if len(outputs) == 1:  # two classes by the logit of the second
        outputs = torch.stack([torch.zeros_like(outputs[0]), outputs[0]])
    return -torch.log_softmax(outputs, 0)[int(target)]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("name", "kind", "modality"), cases("row_gradients"))
def test_row_gradients_are_those_of_autograd_one_row_at_a_time(
    name: str, kind: str, modality: str, classes: int
) -> None:
    shape = shape_of(kind, modality, classes)
    model = MODELS[name].replicated(shape)
    features, target = (torch.tensor(part) for part in rows_of(shape, 5))
    generator = torch.Generator().manual_seed(0)
    theta = torch.stack([model.initial("random", generator) for _ in range(5)])
    theta += 0.1 * torch.randn(theta.shape, generator=generator, dtype=theta.dtype)
    gradients = model.row_gradients(theta, features, target)
    assert gradients.shape == (5, model.parameter_count)
    for lane in range(5):
        leaf = theta[lane].clone().requires_grad_()
        outputs = model.outputs(leaf[None], features[lane : lane + 1])[0, 0]
        (expected,) = torch.autograd.grad(training_loss(kind, outputs, target[lane]), leaf)
        assert float(expected.norm()) > 0
        torch.testing.assert_close(gradients[lane], expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("name", "kind", "modality"), cases("row_gradients"))
def test_rows_do_not_mix(name: str, kind: str, modality: str) -> None:
    shape = shape_of(kind, modality)
    model = MODELS[name].replicated(shape)
    features, _ = (torch.tensor(part) for part in rows_of(shape, 6))
    theta = model.initial("random", torch.Generator().manual_seed(0))[None]
    together = model.outputs(theta, features)[0]
    assert together.shape == (6, shape.outputs)
    alone = torch.cat([model.outputs(theta, features[row : row + 1])[0] for row in range(6)])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "kind", "modality"), cases("row_gradients"))
def test_the_network_is_the_model_that_minibatches_train(name: str, kind: str, modality: str) -> None:
    shape = shape_of(kind, modality)
    network, model = MODELS[name].network(shape), MODELS[name].replicated(shape)
    assert sum(parameter.numel() for parameter in network.parameters()) == model.parameter_count
    outputs = network(torch.tensor(rows_of(shape, 4)[0], dtype=torch.float32))
    assert outputs.shape == (4, shape.outputs)


@pytest.mark.parametrize(("name", "kind", "modality"), cases("fitted_whole"))
def test_a_model_that_is_fitted_whole_learns(name: str, kind: str, modality: str) -> None:
    shape = shape_of(kind, modality)
    features, target = rows_of(shape)
    fresh, truth = rows_of(shape, seed=1)
    predicted = Learner(MODELS[name], shape).fit(features, target).predict(fresh)
    if kind == "regression":
        assert predicted.shape == (ROWS,)
        assert np.mean((predicted - truth) ** 2) < 0.5 * np.var(truth)
    else:
        assert predicted.shape == (ROWS, shape.classes)
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-6)
        assert np.mean(predicted.argmax(axis=1) == truth) > 0.7


@pytest.mark.parametrize(("name", "kind", "modality"), cases("fitted_whole"))
def test_the_same_rows_and_seed_give_the_same_fit(name: str, kind: str, modality: str) -> None:
    shape = shape_of(kind, modality)
    features, target = rows_of(shape, 40)
    first, again = (Learner(MODELS[name], shape).fit(features, target, seed=3).predict(features) for _ in range(2))
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if not model.row_gradients])
def test_a_model_without_row_gradients_says_so(name: str) -> None:
    kind, modality = sorted(MODELS[name].fits)[0], sorted(MODELS[name].reads)[0]
    without = [MODELS[name].replicated] if MODELS[name].trains else [MODELS[name].replicated, MODELS[name].network]
    for build in without:
        with pytest.raises(InputError) as refusal:
            build(shape_of(kind, modality))
        assert in_one_line(refusal.value)


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if not model.fitted_whole])
def test_a_model_that_is_not_fitted_whole_says_so(name: str) -> None:
    kind, modality = sorted(MODELS[name].fits)[0], sorted(MODELS[name].reads)[0]
    with pytest.raises(InputError) as refusal:
        MODELS[name].unfitted(shape_of(kind, modality), 10, 0)
    assert in_one_line(refusal.value)
