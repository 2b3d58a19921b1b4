"""model=module."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from assay.config.suggest import did_you_mean
from assay.config.targets import check_importable, locate
from assay.errors import InputError
from assay.learning.models.model import Model, Shape

if TYPE_CHECKING:
    from torch import nn

    from assay.config import Choices

_EXAMPLE = "e.g. model.target=my_package.my_module.MyNetwork"


@dataclass(frozen=True)
class Module(Model):
    """A torch module of yours for minibatch training: from features [rows, inputs] to scores [rows, outputs].

    The class `target` (package.module.Class) is made with `arguments`, and with the numbers `inputs` and `outputs` of the
    problem where its constructor has arguments of these names. With dataset.preprocess.tokens features are token ids,
    whole numbers below `vocabulary`, 0 standing after the end of a text. Its weights are those that it draws, from the
    run's seed.
    """

    target: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    name: str = "module"

    reads: ClassVar[frozenset[str]] = frozenset({"table", "image", "text", "tokens"})
    trains: ClassVar[bool] = True
    draws_weights: ClassVar[bool] = True

    def __hash__(self) -> int:
        return hash((self.target, repr(sorted(self.arguments.items()))))

    def check(self, run: Choices) -> None:
        """Raises InputError without a class as well."""
        if self.target is None:
            raise InputError("model.target", "null", "needs the class of your network", _EXAMPLE)
        check_importable(self.target, "model.target")
        super().check(run)

    def network(self, shape: Shape) -> nn.Module:
        """The module; InputError for a class that is none, or does not take the arguments."""
        from torch import nn

        kind = locate(self.target, "model.target")
        if not issubclass(kind, nn.Module):
            raise InputError("model.target", self.target, "is no torch.nn.Module", _EXAMPLE)
        known = inspect.signature(kind).parameters
        sizes = {"inputs": shape.features, "outputs": shape.outputs}
        sizes |= {"vocabulary": shape.vocabulary} if shape.vocabulary else {}
        for key, value in self.arguments.items():
            if key not in known and not any(each.kind is each.VAR_KEYWORD for each in known.values()):
                limit = f"{kind.__name__} has no such argument"
                raise InputError(f"model.arguments.{key}", value, limit, did_you_mean(key, known))
        given = {key: value for key, value in sizes.items() if key in known} | self.arguments
        try:
            network: nn.Module = kind(**given)
        except TypeError as error:
            raise InputError("model.arguments", self.arguments, str(error), f"see help({kind.__name__})") from error
        return network
