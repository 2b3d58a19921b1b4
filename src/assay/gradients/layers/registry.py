"""The table of layers whose per-sample gradients are known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from assay.gradients.factors import Factor, PassTensor, Workspace


@dataclass(frozen=True)
class Call:
    """One call of a layer: its `input` [N, ...], the `gradient` [N, ...] of its output, and which parameters are `wanted`.

    `workspace` lends memory for what is made of them.
    """

    name: str
    module: nn.Module
    input: PassTensor
    gradient: PassTensor
    wanted: frozenset[str]
    workspace: Workspace

    def keep(self, tensor: Tensor) -> PassTensor:
        """A tensor made from this call's, to be read later."""
        return PassTensor(tensor, self.name)


Rule = Callable[[Call], dict[str, Factor]]
"""From a call to a factor for each wanted parameter, by the parameter's name in the module."""

_RULES: dict[str, Rule] = {}


def layer(kind: type[nn.Module] | str) -> Callable[[Rule], Rule]:
    """Enters the decorated rule for modules of exactly this type; a string names a type of an optional package.

    A rule answers for the parameters `weight` and `bias`. Subclasses are not covered: their `forward` may differ.
    """

    def enter(rule: Rule) -> Rule:
        _RULES[kind if isinstance(kind, str) else _name(kind)] = rule
        return rule

    return enter


def rule_for(module: nn.Module) -> Rule | None:
    """The rule of a module, or None where there is none or its `forward` was replaced on the instance."""
    return None if "forward" in vars(module) else _RULES.get(_name(type(module)))


def covered_layers() -> list[str]:
    """Full names of all types that have a rule, sorted."""
    return sorted(_RULES)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
