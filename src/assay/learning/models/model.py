"""The base of all models that a run may name: capabilities, checks, and what each model builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from assay.errors import InputError

if TYPE_CHECKING:
    from torch import nn

    from assay.config import Choices
    from assay.data import PreparedData
    from assay.learning.models.replicated import ReplicatedModel

_TARGET = {"regression": "numbers", "classification": "classes"}
_INPUT = {"table": "columns of numbers", "image": "images", "text": "text", "tokens": "token ids"}


@dataclass(frozen=True)
class Shape:
    """The shape of a problem: its kind of target, number of classes (0 for a regression) and of features, and modality.

    Features that are token ids are smaller than `vocabulary`.
    """

    kind: str  # regression | classification
    classes: int
    features: int
    modality: str = "table"  # table | image | text | tokens
    vocabulary: int = 0

    @classmethod
    def of(cls, data: PreparedData) -> Shape:
        """The shape of prepared data."""
        return cls(data.kind, len(data.classes), data.train.features.shape[1], data.modality, data.vocabulary)

    @property
    def outputs(self) -> int:
        """Outputs of a network: one for a regression, else one for each class."""
        return 1 if self.kind == "regression" else self.classes


class Model:
    """A model by its options: a subclass is a frozen dataclass of them, and builds what its capabilities promise.

    `row_gradients`: `replicated` and `network` build a model that is trained by gradients of single rows. `trains`: `network`
    builds one for minibatch training, whose weights it draws itself if `draws_weights`. `fitted_whole`:
    `unfitted` builds an estimator that is fitted to any rows at once. `closed_form`: one more row changes the fit by a step
    in closed form. `fits` are kinds of targets, `reads` modalities. A subclass outside assay needs no entry elsewhere.
    """

    name: str
    row_gradients: ClassVar[bool] = False
    draws_weights: ClassVar[bool] = False
    fitted_whole: ClassVar[bool] = False
    closed_form: ClassVar[bool] = False
    fits: ClassVar[frozenset[str]] = frozenset({"regression", "classification"})
    reads: ClassVar[frozenset[str]] = frozenset({"table", "image"})

    @property
    def trains(self) -> bool:
        """True where `network` builds a network for minibatch training."""
        return self.row_gradients

    def check(self, run: Choices) -> None:
        """Raises InputError where the dataset is known to have another target or other inputs than the model needs."""
        dataset, encoder, tokens = run.dataset, run.dataset.preprocess.encoder, run.dataset.preprocess.tokens
        if tokens is not None:
            if "tokens" not in self.reads:
                limit = (
                    f"reads {_words(_INPUT, self.reads)} and dataset.preprocess.tokens={tokens} makes token ids of text"
                )
                raise InputError("model", self.name, limit, "use model=module with a network that embeds them")
        elif encoder is not None:
            if "table" not in self.reads:
                limit = (
                    f"reads {_words(_INPUT, self.reads)} and dataset.preprocess.encoder={encoder} makes numbers of it"
                )
                raise InputError("model", self.name, limit, "use model=auto")
        elif dataset.modality not in {*self.reads, "auto"}:
            limit = f"reads {_words(_INPUT, self.reads)} and dataset={dataset.name} is a dataset of {dataset.modality}s"
            raise InputError("model", self.name, limit, "use model=auto")
        if dataset.kind not in {*self.fits, "auto"}:
            limit = f"fits {_words(_TARGET, self.fits)} and dataset={dataset.name} is a {dataset.kind} dataset"
            raise InputError("model", self.name, limit, "use model=auto")

    def resolved(self, kind: str, modality: str = "table") -> Model:
        """The model that is meant for a target and a modality: itself; InputError where they do not fit it."""
        if kind not in self.fits:
            limit = f"fits {_words(_TARGET, self.fits)} and this is a {kind}"
            raise InputError("model", self.name, limit, "use model=auto")
        if modality not in self.reads:
            limit = f"reads {_words(_INPUT, self.reads)} and this is {_INPUT.get(modality, modality)}"
            raise InputError("model", self.name, limit, "use model=auto")
        return self

    def replicated(self, shape: Shape) -> ReplicatedModel:
        """The model with a replicate axis; InputError without `row_gradients`, or where the shape does not fit."""
        raise self._without("row_gradients", shape)

    def network(self, shape: Shape) -> nn.Module:
        """The network for minibatch training, its weights not yet drawn; InputError as `replicated`."""
        raise self._without("row_gradients", shape)

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """An estimator as scikit-learn has them, to be fitted to `rows` rows; InputError without `fitted_whole`.

        Classes are coded 0, 1, ... in the order of those that the rows have.
        """
        raise self._without("fitted_whole", shape)

    def _without(self, capability: str, shape: Shape) -> Exception:
        self.resolved(shape.kind, shape.modality)
        if getattr(self, capability):
            return NotImplementedError(f"{type(self).__name__} promises {capability} and does not build it")
        if capability == "row_gradients":
            limit, remedy = "is fitted whole and has no gradients of rows", "use model=auto, or valuation=semivalue"
        else:
            limit, remedy = "is trained by gradients and cannot be fitted whole", "use model=auto or mlp"
        return InputError("model", self.name, limit, remedy)


def _words(nouns: dict[str, str], capability: Iterable[str]) -> str:
    """Nouns of a capability, in the order of their table; images are columns of numbers too."""
    named = [noun for key, noun in nouns.items() if key in capability]
    return " and ".join(noun for noun in named if noun != "images" or "columns of numbers" not in named)
