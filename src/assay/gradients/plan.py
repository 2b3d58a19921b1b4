"""The parameters of a model with the layers whose rules cover them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from torch import nn

from assay.gradients.layers import Rule, rule_for
from assay.gradients.refusals import LayerError


@dataclass(frozen=True)
class Layer:
    """A module with its rule; `wanted` maps its parameters' names, which are `own`, to their names in the model."""

    name: str
    module: nn.Module
    rule: Rule
    wanted: dict[str, str]
    own: frozenset[str]
    parameters: tuple[nn.Parameter, ...]


@dataclass(frozen=True)
class Plan:
    """The parameters to differentiate by name, the layers that cover them, and parameters left out or not covered."""

    parameters: dict[str, nn.Parameter]
    layers: tuple[Layer, ...]
    left_out: tuple[nn.Parameter, ...]
    uncovered: tuple[str, ...]


def make_plan(model: nn.Module, layers: Collection[str] | None) -> Plan:
    """The plan for all trainable parameters, or for those of the modules named in `layers` (tied weights included)."""
    modules = dict(model.named_modules())
    unknown = sorted(set(layers or ()) - set(modules))
    if unknown:
        raise LayerError(unknown[0], "the model has no such module", "take names from model.named_modules()")
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    chosen: dict[str, nn.Parameter] = {}
    for name, module in modules.items():
        for parameter in module.parameters(recurse=False) if layers is None or name in layers else ():
            if parameter.requires_grad:
                chosen[names[id(parameter)]] = parameter
    if not chosen:
        raise LayerError(
            ", ".join(layers or ()), "no trainable parameter", "set requires_grad on what is to be trained"
        )
    covered, uncovered = [], []
    for name, module in modules.items():
        own = dict(module.named_parameters(recurse=False, remove_duplicate=False))
        wanted = {local: names[id(p)] for local, p in own.items() if names[id(p)] in chosen}
        rule = rule_for(module)
        if wanted and (rule is None or not wanted.keys() <= {"weight", "bias"}):
            uncovered.append(f"{name or '(the model itself)'} ({type(module).__name__}: {', '.join(wanted)})")
        elif wanted and rule is not None:
            covered.append(Layer(name, module, rule, wanted, frozenset(wanted), tuple(own[each] for each in wanted)))
    ordered = {name: chosen[name] for name in names.values() if name in chosen}
    left_out = tuple(p for n, p in model.named_parameters() if p.requires_grad and n not in chosen)
    return Plan(ordered, tuple(covered), left_out, tuple(uncovered))


def still_holds(plan: Plan) -> bool:
    """True while the modules have the parameters that the plan was made for."""
    for layer in plan.layers:
        own = layer.module._parameters
        if any(own.get(name) is not parameter for name, parameter in zip(layer.wanted, layer.parameters, strict=True)):
            return False
    return True


def last_layers(model: nn.Module, count: int) -> list[str]:
    """Names of the last `count` modules with trainable parameters, in the order in which the model registers them."""
    names = [
        name
        for name, module in model.named_modules()
        if any(parameter.requires_grad for parameter in module.parameters(recurse=False))
    ]
    return names[-count:] if count else []
