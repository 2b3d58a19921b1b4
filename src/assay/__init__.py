"""assay: what is each training example worth?

>>> import assay
>>> values = assay.value(features, target).values  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.api import Result, results, run, value

__version__ = "0.1.0"
__all__ = ["Result", "__version__", "results", "run", "value"]


def __getattr__(name: str) -> Any:
    """The functions of `assay.api`, imported when they are first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("assay.api"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
