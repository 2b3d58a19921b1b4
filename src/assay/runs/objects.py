"""The content of a live object as a hash: its class's source and its parameters."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import json
import pickle
import types
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np

from assay.errors import AssayError
from assay.runs.sources import sources_of_module


def fingerprint_of_object(thing: Any) -> str:
    """16 hexadecimal digits of an object: equal for equal sources of its class and equal parameters.

    Parameters are the fields of a dataclass, `get_params()` of an estimator, else the attributes. Arrays, tensors and frames
    count by content, functions and classes by source, what is installed by its version. Raises AssayError for an object
    whose content cannot be read.
    """
    text = json.dumps(_content(thing, ()), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _content(thing: Any, above: tuple[int, ...]) -> Any:
    """JSON of an object's content; a part that is one of the objects `above` it says how far above."""
    if thing is None or isinstance(thing, bool | str):
        return thing
    if isinstance(thing, int | float | np.integer | np.floating):
        number = thing.item() if isinstance(thing, np.generic) else thing
        return int(number) if isinstance(number, float) and number.is_integer() else number
    if id(thing) in above:
        return {"above": len(above) - above.index(id(thing))}
    above = (*above, id(thing))

    def of(part: Any) -> Any:
        return _content(part, above)

    if isinstance(thing, Mapping):
        return {"map": [[of(key), of(value)] for key, value in thing.items()]}
    if isinstance(thing, set | frozenset):
        return {"set": sorted(json.dumps(of(entry), sort_keys=True) for entry in thing)}
    if isinstance(thing, list | tuple):
        return [of(entry) for entry in thing]
    if isinstance(thing, type):
        return {"class": _source_of_class(thing)}
    if isinstance(thing, functools.partial):
        return {"partial": [of(thing.func), of(thing.args), of(thing.keywords)]}
    if isinstance(thing, types.MethodType):
        return {"method": thing.__name__, "of": of(thing.__self__)}
    if isinstance(thing, types.FunctionType):
        cells = [of(cell.cell_contents) for cell in thing.__closure__ or ()]
        code = _digest(repr(_code(thing.__code__)).encode())
        return {"function": thing.__qualname__, "source": _source(thing), "code": code, "cells": cells}
    if isinstance(thing, types.BuiltinFunctionType | types.ModuleType | np.ufunc):
        return {"name": f"{getattr(thing, '__module__', '')}.{thing.__name__}"}
    array = _array(thing)
    if array is not None:
        return {"array": _digest(np.ascontiguousarray(array).tobytes()), "as": [str(array.dtype), list(array.shape)]}
    return {"class": _source_of_class(type(thing)), "parameters": of(_parameters(thing))}


def _array(thing: Any) -> np.ndarray[Any, Any] | None:
    """The numbers of an array or tensor; None for all else."""
    if callable(getattr(thing, "detach", None)) and callable(getattr(thing, "numpy", None)):
        thing = thing.detach().cpu().numpy()
    return thing if isinstance(thing, np.ndarray) and thing.dtype != object else None


def _parameters(thing: Any) -> Any:
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    if type(thing).__module__.partition(".")[0] == "pandas":
        from pandas.util import hash_pandas_object

        return [hash_pandas_object(thing).to_numpy(), list(map(str, getattr(thing, "columns", ())))]
    if dataclasses.is_dataclass(thing):
        return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    if callable(getattr(thing, "get_params", None)):
        return thing.get_params(deep=False)
    if getattr(thing, "__dict__", None):
        return vars(thing)
    try:
        return _digest(pickle.dumps(thing, protocol=4))
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise AssayError(
            f"{type(thing).__qualname__}: its content cannot be read ({error}); give it as a config"
        ) from error


def _source_of_class(owner: type) -> list[str]:
    """Name and source of a class and of those it inherits from, `object` apart."""
    return [f"{each.__module__}.{each.__qualname__} {_source(each)}" for each in owner.__mro__[:-1]]


def _source(thing: Any) -> str:
    """Hash of a user's module, version of an installed one, else (a notebook) hash of the text of the class or function."""
    module = str(thing.__module__)
    if module not in ("__main__", "builtins"):
        return sources_of_module(module) or _version(module.partition(".")[0])
    try:
        return _digest(inspect.getsource(thing).encode())
    except (OSError, TypeError):  # typed in at a prompt
        functions = vars(thing).values() if isinstance(thing, type) else [thing]
        codes = [_code(each.__code__) for each in functions if isinstance(each, types.FunctionType)]
        return _digest(repr(codes).encode())


def _version(package: str) -> str:
    for distribution in metadata.packages_distributions().get(package, ()):
        return metadata.version(distribution)
    return "installed"


def _code(code: types.CodeType) -> list[Any]:
    """Byte code with its names and constants, without the place where it was written."""
    constants = [_code(each) if isinstance(each, types.CodeType) else each for each in code.co_consts]
    return [code.co_name, code.co_code, code.co_names, constants]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
