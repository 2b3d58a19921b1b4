"""Modules without a rule."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Unit:
    """A module whose forward is rewritten; `wanted` maps its parameters' names in it to those in the model.

    `vectorised`: although its kind has a rewriting of its own. `entry` is the method that is rewritten.
    """

    name: str
    module: nn.Module
    wanted: dict[str, str]
    vectorised: bool = False
    entry: str = "forward"

    @property
    def shown(self) -> str:
        """The module for a message."""
        return f"{self.name or '(the model itself)'} ({type(self.module).__name__})"
