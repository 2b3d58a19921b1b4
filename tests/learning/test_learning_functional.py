"""Torch networks as models with a replicate axis, against the networks themselves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from assay.errors import InputError
from assay.learning.initialisation import public_start
from assay.learning.models import Shape
from assay.learning.models.cnn import Cnn
from assay.learning.models.convolutional import ConvolutionalNetwork
from assay.learning.models.functional import FunctionalNetwork
from assay.learning.models.heads import CrossEntropy, head_for
from assay.learning.models.perceptron import MultilayerPerceptron

SHAPES = {"grey": 64, "three colours": 192}


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def network_at(theta: Tensor, pixels: int, outputs: int) -> nn.Module:
    network = ConvolutionalNetwork(8, pixels // 64, outputs).double()
    nn.utils.vector_to_parameters(theta, network.parameters())
    return network


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kind", "classes"), [("classification", 2), ("classification", 3), ("regression", 0)])
@pytest.mark.parametrize("lanes", [1, 3])
def test_a_cnn_has_the_gradients_and_outputs_of_its_network(shape: str, kind: str, classes: int, lanes: int) -> None:
    pixels = SHAPES[shape]
    model = Cnn().replicated(Shape(kind, classes, pixels, "image"))
    theta = 0.3 * draw(lanes, model.parameter_count, seed=1)
    x, y = draw(lanes, pixels, seed=2), torch.arange(lanes).remainder(max(classes, 1)).double()
    gradients, outputs = model.row_gradients(theta, x, y), model.outputs(theta, x)
    for lane in range(lanes):
        network = network_at(theta[lane], pixels, max(classes, 1))
        answers = network(x)
        torch.testing.assert_close(outputs[lane], answers)
        if kind == "regression":
            loss = 0.5 * (answers[lane, 0] - y[lane]) ** 2
        else:
            loss = nn.functional.cross_entropy(answers[lane][None], y[lane].long()[None])
        expected = torch.autograd.grad(loss, list(network.parameters()))
        torch.testing.assert_close(gradients[lane], torch.cat([part.flatten() for part in expected]))
    assert not gradients.requires_grad
    assert (gradients[0] != 0).any()


def test_a_perceptron_as_a_network_is_the_one_written_out() -> None:
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    by_torch = FunctionalNetwork(network, CrossEntropy(3), 5)
    by_hand = MultilayerPerceptron(4, [5], head_for("classification", 3))
    assert by_torch.parameter_count == by_hand.parameter_count
    theta, x, y = draw(6, by_hand.parameter_count, seed=3), draw(6, 4, seed=4), torch.arange(6).remainder(3).double()
    torch.testing.assert_close(by_torch.row_gradients(theta, x, y), by_hand.row_gradients(theta, x, y))
    torch.testing.assert_close(by_torch.outputs(theta, x), by_hand.outputs(theta, x))


def test_the_start_follows_its_generator_alone_and_can_be_fitted_to_public_rows() -> None:
    model = Cnn().replicated(Shape("classification", 3, 64, "image"))
    torch.manual_seed(1)
    first = model.initial("random", torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    assert torch.equal(first, model.initial("random", torch.Generator().manual_seed(5)))
    drawn = torch.rand(1)
    torch.manual_seed(2)
    assert torch.equal(drawn, torch.rand(1))
    assert first.dtype == torch.float64
    with pytest.raises(InputError, match=r"valuation.initialisation=zeros: .*\(use random\)"):
        model.initial("zeros", torch.Generator())
    x, y = draw(12, 64, seed=1), torch.arange(12).remainder(3).double()
    fitted = public_start(model, "public", x, y, torch.Generator().manual_seed(5))
    assert (model.outputs(fitted[None], x)[0].argmax(1) == y).all()
