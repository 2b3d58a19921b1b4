"""Modules without a rule."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn


@dataclass(frozen=True)
class Unit:
    """A module whose forward is rewritten; `wanted` maps its parameters' names in it to those in the model.

    `vectorised`: although its kind has a rewriting of its own. `entry` is the method that is rewritten. `shared` are places of
    arguments that were seen with a first axis of another length than the samples': they are no sample's, whatever its length.
    """

    name: str
    module: nn.Module
    wanted: dict[str, str]
    vectorised: bool = False
    entry: str = "forward"
    shared: set[int] = field(default_factory=set, compare=False)

    @property
    def shown(self) -> str:
        """The module for a message."""
        return f"{self.name or '(the model itself)'} ({type(self.module).__name__})"
