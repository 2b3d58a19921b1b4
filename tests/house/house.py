"""The source files that the tests of the house read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PACKAGE = TOP / "src" / "assay"


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
