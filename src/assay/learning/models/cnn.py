"""model=cnn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assay.errors import InputError
from assay.learning.models.model import Model, Shape

if TYPE_CHECKING:
    from assay.learning.models.convolutional import ConvolutionalNetwork
    from assay.learning.models.replicated import ReplicatedModel


SMALLEST_SIDE = 8


@dataclass(frozen=True)
class Cnn(Model):
    """A convolutional network on square images of one or three channels, trained by gradients."""

    name: str = "cnn"

    row_gradients: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = frozenset({"image"})

    def replicated(self, shape: Shape) -> ReplicatedModel:
        """The network with a replicate axis."""
        from assay.learning.models.functional import FunctionalNetwork
        from assay.learning.models.heads import CrossEntropy, SquaredError

        network = self.network(shape)
        head = SquaredError() if shape.kind == "regression" else CrossEntropy(shape.classes)
        return FunctionalNetwork(network, head, network.widest)

    def network(self, shape: Shape) -> ConvolutionalNetwork:
        """Two convolutions and two linear layers; InputError unless the features are the pixels of a square image."""
        from assay.learning.models.convolutional import ConvolutionalNetwork
        from assay.learning.models.torch_networks import blank

        self.resolved(shape.kind, shape.modality)
        pixels = shape.features
        colours = 1 if math.isqrt(pixels) ** 2 == pixels else 3
        side = math.isqrt(pixels // colours)
        if side * side * colours != pixels or side < SMALLEST_SIDE:
            remedy = "use model=mlp, or a dataset of square images with one or three channels"
            raise InputError("model", self.name, f"{pixels} features are no square image of 8 x 8 or more", remedy)
        return blank(lambda: ConvolutionalNetwork(side, colours, shape.outputs))
