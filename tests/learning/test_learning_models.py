"""Closed-form gradients and outputs of replicated models against autograd, one row and one replicate at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from assay.errors import InputError
from assay.learning.initialisation import public_start
from assay.learning.models import Model, Shape
from assay.learning.models.affine import BagOfWords, Linear, Logistic
from assay.learning.models.auto import Auto
from assay.learning.models.cnn import Cnn
from assay.learning.models.generalized_linear import GeneralizedLinear
from assay.learning.models.heads import head_for
from assay.learning.models.mlp import Mlp, MlpAdam
from assay.learning.models.perceptron import MultilayerPerceptron
from assay.learning.models.replicated import ReplicatedModel, path_utility
from assay.learning.models.svm import Svm
from assay.learning.models.trees import XGBoost

D = 4
MODELS: dict[str, tuple[Callable[[], ReplicatedModel], int]] = {
    "linear": (lambda: GeneralizedLinear(D, head_for("regression", 0)), 0),
    "linear without intercept": (lambda: GeneralizedLinear(D, head_for("regression", 0), intercept=False), 0),
    "logistic": (lambda: GeneralizedLinear(D, head_for("classification", 2)), 2),
    "softmax": (lambda: GeneralizedLinear(D, head_for("classification", 3)), 3),
    "mlp tanh": (lambda: MultilayerPerceptron(D, [5, 3], head_for("classification", 3)), 3),
    "mlp relu": (lambda: MultilayerPerceptron(D, [5], head_for("regression", 0), "relu"), 0),
    "mlp binary": (lambda: MultilayerPerceptron(D, [6], head_for("classification", 2)), 2),
}


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def targets(count: int, classes: int, seed: int) -> Tensor:
    if classes == 0:
        return draw(count, seed=seed)
    return torch.randint(classes, (count,), generator=torch.Generator().manual_seed(seed)).double()


def training_loss(model: ReplicatedModel, theta: Tensor, x: Tensor, y: Tensor, classes: int) -> Tensor:
    """The loss written out from its textbook form."""
    outputs = model.outputs(theta[None], x[None])[0, 0]
    if classes == 0:
        return 0.5 * (outputs[0] - y) ** 2
    if classes == 2:
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs[0], y)
    return torch.nn.functional.cross_entropy(outputs[None], y.long()[None])


@pytest.mark.parametrize("name", MODELS)
def test_row_gradients_equal_autograd_one_row_at_a_time(name: str) -> None:
    build, classes = MODELS[name]
    model, replicates = build(), 7
    theta, x = draw(replicates, model.parameter_count, seed=1), draw(replicates, D, seed=2)
    y = targets(replicates, classes, seed=3)
    gradients = model.row_gradients(theta, x, y)
    for r in range(replicates):
        leaf = theta[r].clone().requires_grad_()
        (expected,) = torch.autograd.grad(training_loss(model, leaf, x[r], y[r], classes), leaf)
        torch.testing.assert_close(gradients[r], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_copies_do_not_see_each_other(name: str) -> None:
    model = MODELS[name][0]()
    theta, x = draw(3, model.parameter_count, seed=4), draw(5, D, seed=5)
    together = model.outputs(theta, x)
    assert together.shape == (3, 5, model.head.outputs)
    for copy in range(3):
        torch.testing.assert_close(together[copy], model.outputs(theta[copy : copy + 1], x)[0])


def test_mlp_outputs_equal_a_torch_network() -> None:
    model = MultilayerPerceptron(D, [5, 3], head_for("classification", 3))
    theta, x = draw(1, model.parameter_count, seed=6), draw(9, D, seed=7)
    network = torch.nn.Sequential(
        torch.nn.Linear(D, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3)
    ).double()
    torch.nn.utils.vector_to_parameters(theta[0], network.parameters())
    torch.testing.assert_close(model.outputs(theta, x)[0], network(x))


def test_utilities_are_minus_the_mean_loss_and_the_accuracy() -> None:
    model = GeneralizedLinear(D, head_for("classification", 3))
    theta, x, y = draw(4, model.parameter_count, seed=8), draw(11, D, seed=9), targets(11, 3, seed=10)
    outputs = model.outputs(theta, x)
    loss = [-torch.nn.functional.cross_entropy(each, y.long()) for each in outputs]
    hits = [(each.argmax(1) == y).double().mean() for each in outputs]
    torch.testing.assert_close(path_utility(model, theta, x, y, "negative_loss"), torch.stack(loss))
    torch.testing.assert_close(path_utility(model, theta, x, y, "accuracy"), torch.stack(hits))


def test_blocks_change_nothing() -> None:
    model = MODELS["mlp tanh"][0]()
    theta, x, y = draw(9, model.parameter_count, seed=1), draw(6, D, seed=2), targets(6, 3, seed=3)
    whole = path_utility(model, theta, x, y, "negative_loss")
    torch.testing.assert_close(path_utility(model, theta, x, y, "negative_loss", room=1), whole, rtol=1e-12, atol=0)


def test_binary_accuracy_and_loss() -> None:
    head = head_for("classification", 2)
    outputs, y = torch.tensor([[2.0], [-1.0], [0.0]]).double(), torch.tensor([1.0, 1.0, 0.0]).double()
    assert head.correct(outputs, y).tolist() == [1.0, 0.0, 1.0]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y, reduction="none")
    torch.testing.assert_close(head.loss(outputs, y), expected)


def test_accuracy_of_a_regression_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a classification target"):
        head_for("regression", 0).correct(torch.zeros(1, 1), torch.zeros(1))


def test_auto_follows_the_target_and_the_modality() -> None:
    assert Auto().resolved("regression") == Linear()
    assert Auto().resolved("regression", "text") == Linear()
    assert Auto().resolved("classification") == Logistic()
    assert Auto().resolved("classification", "text") == BagOfWords()


@pytest.mark.parametrize(
    ("model", "kind", "modality", "line"),
    [
        (Linear(), "classification", "table", "model=linear: fits numbers and this is a classification"),
        (Logistic(), "regression", "table", "model=logistic: fits classes and this is a regression"),
        (BagOfWords(), "classification", "table", "model=bag_of_words: reads text and this is columns of numbers"),
        (Mlp(), "classification", "text", "model=mlp: reads columns of numbers and this is text"),
        (Cnn(), "classification", "table", "model=cnn: reads images and this is columns of numbers"),
        (XGBoost(), "classification", "table", "model=xgboost: is fitted whole and has no gradients of rows"),
        (Svm(), "classification", "table", "model=svm: is fitted whole and has no gradients of rows"),
        (Svm(), "regression", "table", "model=svm: fits classes and this is a regression"),
        (MlpAdam(), "regression", "table", "model=mlp_adam: is fitted whole and has no gradients of rows"),
    ],
)
def test_models_that_do_not_fit_are_refused(model: Model, kind: str, modality: str, line: str) -> None:
    with pytest.raises(InputError) as refused:
        model.replicated(Shape(kind, 2, 3, modality))
    assert line in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_public_start_minimises_the_public_loss_and_repeats() -> None:
    model = GeneralizedLinear(D, head_for("regression", 0))
    x, y = draw(50, D, seed=11), draw(50, seed=12)
    starts = [public_start(model, "public", x, y, torch.Generator().manual_seed(0)) for _ in range(2)]
    assert torch.equal(*starts)
    design = torch.cat([x, torch.ones(50, 1).double()], 1)
    exact = torch.linalg.solve(design.T @ design / 50 + 1e-4 * torch.eye(D + 1).double(), design.T @ y / 50)
    torch.testing.assert_close(starts[0], exact, rtol=1e-4, atol=1e-5)


def test_auto_start_is_zeros_only_where_zeros_can_train() -> None:
    x, y = draw(3, D, seed=1), draw(3, seed=2)
    linear, mlp = MODELS["linear"][0](), MODELS["mlp relu"][0]()
    assert not public_start(linear, "auto", x, y, torch.Generator().manual_seed(0)).any()
    assert public_start(mlp, "auto", x, y, torch.Generator().manual_seed(0)).any()
    with pytest.raises(ValueError, match="initialisation=zeros"):
        mlp.initial("zeros", torch.Generator())
