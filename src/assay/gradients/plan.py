"""The parameters of a model with the layers whose rules cover them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import nn

from assay.gradients.layers import Rule, rule_for
from assay.gradients.refusals import LayerError
from assay.gradients.rewrites import Unit, unit_of, writes_out


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
    """The parameters to differentiate by name, the layers and units that cover them, and parameters left out."""

    parameters: dict[str, nn.Parameter]
    layers: tuple[Layer, ...]
    units: tuple[Unit, ...]
    left_out: tuple[nn.Parameter, ...]

    @property
    def written_out(self) -> list[str]:
        """Units whose gradients are written out, N x P numbers."""
        return [unit.shown for unit in self.units if writes_out(unit)]

    @property
    def numbers_written_out(self) -> int:
        """Numbers that the unit with most of them writes out for each sample."""
        written = (unit for unit in self.units if writes_out(unit))
        return max((sum(self.parameters[name].numel() for name in unit.wanted.values()) for unit in written), default=0)


def make_plan(
    model: nn.Module, layers: Collection[str] | None, whole: Collection[str] = (), entry: str = "forward"
) -> Plan:
    """The plan for all trainable parameters, or for those of the modules named in `layers` (tied weights included).

    Modules named in `whole` are rewritten although what is in them has rules. `entry` is the model's method that a pass calls.
    """
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
    owners = _owners(modules, names, set(chosen))
    roots = {unit_of(name, modules) for name, wanted in owners.items() if _rule(modules[name], wanted) is None}
    roots |= set(whole)
    roots = {name for name in roots if not any(_inside(name, other) for other in roots)}
    covered, units = [], []
    for name, wanted in owners.items():
        rule = _rule(modules[name], wanted)
        if rule is not None and not any(name == root or _inside(name, root) for root in roots):
            own = dict(modules[name].named_parameters(recurse=False, remove_duplicate=False))
            parameters = tuple(own[each] for each in wanted)
            covered.append(Layer(name, modules[name], rule, wanted, frozenset(wanted), parameters))
    for name in sorted(roots):
        inner = modules[name].named_parameters(remove_duplicate=False)
        wanted = {local: names[id(p)] for local, p in inner if names[id(p)] in chosen}
        units.append(Unit(name, modules[name], wanted, name in whole, "forward" if name else entry))
    ordered = {name: chosen[name] for name in names.values() if name in chosen}
    left_out = tuple(p for n, p in model.named_parameters() if p.requires_grad and n not in chosen)
    return Plan(ordered, tuple(covered), tuple(units), left_out)


def _owners(
    modules: Mapping[str, nn.Module], names: Mapping[int, str], chosen: Collection[str]
) -> dict[str, dict[str, str]]:
    """The modules that own a chosen parameter, with its name in the module and in the model."""
    owners = {}
    for name, module in modules.items():
        own = module.named_parameters(recurse=False, remove_duplicate=False)
        wanted = {local: names[id(p)] for local, p in own if names[id(p)] in chosen}
        if wanted:
            owners[name] = wanted
    return owners


def _rule(module: nn.Module, wanted: Mapping[str, str]) -> Rule | None:
    """The rule that answers for all wanted parameters of a module."""
    return rule_for(module) if wanted.keys() <= {"weight", "bias"} else None


def _inside(name: str, root: str) -> bool:
    return name != root and (not root or name.startswith(f"{root}."))


def still_holds(plan: Plan) -> bool:
    """True while the modules have the parameters that the plan was made for."""
    for layer in plan.layers:
        own = layer.module._parameters
        if any(own.get(name) is not parameter for name, parameter in zip(layer.wanted, layer.parameters, strict=True)):
            return False
    for unit in plan.units:
        inner = dict(unit.module.named_parameters(remove_duplicate=False))
        if any(inner.get(local) is not plan.parameters[name] for local, name in unit.wanted.items()):
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
