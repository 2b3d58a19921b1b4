"""Hashes of source code: of assay itself, and of the user's modules that a config or an object names."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.config.locations import conf_root

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = ("site-packages", "dist-packages")


@functools.cache
def own_sources() -> str:
    """SHA-256 over assay's own Python files and options, with their places."""
    files = [(file.relative_to(_PACKAGE), file) for file in _PACKAGE.rglob("*.py")]
    files += [("conf" / file.relative_to(conf_root()), file) for file in conf_root().rglob("*.yaml")]
    return _hash(files)


_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.[A-Z]\w*")  # package.module.Class


def sources_of_config(config: Mapping[str, Any]) -> str | None:
    """SHA-256 over the user's modules whose classes a config names, and what they import; None when all are installed ones."""
    files: dict[Path, Path] = {}
    for target in _targets(config):
        files |= _files_of(target)
    return _hash((name, file) for name, file in files.items()) if files else None


def sources_of_module(name: str) -> str | None:
    """SHA-256 over a user's module and what it imports from the same root; None for one that is installed."""
    files = _files_of(name)
    return _hash((relative, file) for relative, file in files.items()) if files else None


def _targets(config: Mapping[str, Any]) -> Iterator[str]:
    for key, value in config.items():
        if isinstance(value, str) and (key == "_target_" or _CLASS.fullmatch(value)):
            yield value
        for entry in value if isinstance(value, list | tuple) else [value]:
            if isinstance(entry, Mapping):
                yield from _targets(entry)


def _files_of(name: str) -> dict[Path, Path]:
    """Files of the deepest module of a dotted name, and of all that it imports, by their places below their root."""
    top = name.partition(".")[0]
    if top == _PACKAGE.name or top in sys.builtin_module_names:
        return {}
    root = _root_of(top)
    if root is None or _is_installed(root):
        return {}
    files: dict[Path, Path] = {}
    waiting = [name]
    while waiting:
        for file in _files_on_the_way(root, waiting.pop()):
            if file.relative_to(root) not in files:
                files[file.relative_to(root)] = file
                waiting += _imports_of(file, root)
    return files


def _root_of(top: str) -> Path | None:
    """The folder from which a top-level module is imported; None where it has no file."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ([spec.origin] if spec.origin and spec.has_location else []))
    return Path(places[0]).absolute().parent if places else None


def _is_installed(root: Path) -> bool:
    standard = Path(sysconfig.get_paths()["stdlib"]).absolute()
    return any(part in _INSTALLED for part in root.parts) or root.is_relative_to(standard)


def _files_on_the_way(root: Path, name: str) -> Iterator[Path]:
    """The file of a module below a root, and the __init__ files of the packages above it, as far as they exist."""
    place = root
    for part in name.split("."):
        place = place / part
        candidates = (place / "__init__.py", place.with_name(f"{part}.py"))
        yield from (file for file in candidates if file.is_file())


def _imports_of(file: Path, root: Path) -> list[str]:
    """Dotted names that a file imports, with those of `from package import module`; none from what does not parse."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return []
    package = file.relative_to(root).parent.parts
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*above, *([node.module] if node.module else [])])
            names += [f"{stem}.{alias.name}".strip(".") for alias in node.names] or [stem]
    return names


def _hash(files: Iterable[tuple[Path, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in sorted((name.as_posix(), file) for name, file in files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()
