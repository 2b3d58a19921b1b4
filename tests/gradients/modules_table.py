"""The table of docs/layers.md: every kind of module that is compared with one row at a time.

python tests/gradients/modules_table.py prints it.
"""

from __future__ import annotations

import warnings

from modules_cases import KINDS
from torch import nn

from assay.gradients.layers import covered_layers
from assay.gradients.plan import make_plan
from assay.gradients.rewrites import writes_out

RULE, LINEAR, WRITTEN = "a rule", "recorded linear maps", "vectorised"


def way_of(module: nn.Module) -> str:
    """The ways in which the gradients of a module are computed."""
    plan = make_plan(module, None)
    ways = [RULE] if plan.layers else []
    ways += [LINEAR] if any(not writes_out(unit) for unit in plan.units) else []
    ways += [WRITTEN] if any(writes_out(unit) for unit in plan.units) else []
    return ", ".join(ways)


def table() -> str:
    """A line for each kind, in Markdown."""
    lines = ["| module | gradients by |", "|---|---|"]
    lines += [f"| `{name}` | {RULE} |" for name in covered_layers()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines += [f"| {name} | {way_of(kind.build())} |" for name, kind in KINDS.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
