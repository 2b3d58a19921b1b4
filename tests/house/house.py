"""The source files that the tests of the house read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parents[2]
PACKAGE = TOP / "src" / "assay"
GROUPS = ("dataset", "model", "valuation", "privacy", "task", "trainer", "logger", "paths")


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Python files below folders of the repository, sorted."""
    return tuple(sorted(path for folder in folders for path in (TOP / folder).rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def shown(path: Path) -> str:
    """The path from the top of the repository."""
    return path.relative_to(TOP).as_posix()


def room_of(path: Path) -> str:
    """Room of a source file: its first folder below the package, or its own name at the top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def documented(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring of a module, its classes and functions, and of each text below a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for place, statement in enumerate(node.body):
                first = place == 0
                after_field = place > 0 and isinstance(node.body[place - 1], ast.Assign | ast.AnnAssign)
                text = statement.value if isinstance(statement, ast.Expr) else None
                if (first or after_field) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield statement.lineno, text.value


@cache
def options() -> tuple[tuple[str, str, str | None], ...]:
    """Group, name and class of each option that is shipped; no class where a YAML names none."""
    each = []
    for path in sorted((TOP / "conf").glob("*/*.yaml")):
        if path.parent.name in GROUPS and not path.stem.startswith("_"):
            each.append((path.parent.name, path.stem, _target(path)))
    return tuple(each)


def targets() -> set[str]:
    """Classes that YAMLs of options name."""
    return {target for _, _, target in options() if target}


def _target(path: Path) -> str | None:
    values = yaml.safe_load(path.read_text())
    if "_target_" in values:
        return str(values["_target_"])
    bases = (path.with_name(f"{name}.yaml") for name in values.get("defaults", ()) if isinstance(name, str))
    return next((_target(base) for base in bases if base.is_file()), None)
