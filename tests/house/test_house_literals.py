"""An option's name stands in its own class and YAML; elsewhere code asks what an option can do."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from house import PACKAGE, options, python_files, shown, tree_of

OTHER_MEANINGS = {
    "arrow": "a format of the datasets library",
    "audit": "a table",
    "auto": "a value of several keys",
    "cpu": "a device of torch",
    "csv": "a suffix of files",
    "default": "a value of several keys",
    "estimation_uncertainty": "a column",
    "estimator": "a column, and the field of an option",
    "frame": "the field of an option",
    "gpu": "an accelerator of Lightning",
    "learning_curve": "a table",
    "linear": "a layer",
    "membership": "a table",
    "none": "a value of several keys",
    "parquet": "a suffix of files",
    "selection_curve": "a table",
    "train": "a split",
    "value": "a column",
    "wandb": "a package",
    "wine": "a table of scikit-learn",
    "xgboost": "a package",
}
"""Names that are words of another subject too: these are faults only where a name is compared with them."""


def modules_of_names() -> dict[str, set[str]]:
    """Modules that may say the name of an option: those of its classes."""
    modules: dict[str, set[str]] = defaultdict(set)
    for _, name, target in options():
        modules[name].add((target or "").rpartition(".")[0])
    return modules


def is_a_name(node: ast.expr) -> bool:
    """True of `x.name`, `name`, `x["name"]`, `option` and the like."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        text = str(node.slice.value)
    else:
        text = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return text in (
        "name",
        "option",
        "mechanism",
        "model",
        "privacy",
        "task",
        "valuation",
        "dataset",
        "logger",
        "trainer",
    )


def compared(tree: ast.Module) -> set[ast.expr]:
    """Constants that a name is compared with, those in a tuple or a set included."""
    constants: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(is_a_name(side) for side in (node.left, *node.comparators)):
            for side in (node.left, *node.comparators):
                constants.update(each for each in ast.walk(side) if isinstance(each, ast.Constant))
            if isinstance(node.left, ast.Subscript):
                constants -= set(ast.walk(node.left.slice))
    return constants


def defaults(tree: ast.Module) -> set[ast.AST]:
    """Constants in the defaults of fields: they are the values of the YAML beside the class."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    fields = (field for node in classes for field in node.body if isinstance(field, ast.AnnAssign))
    return {each for field in fields if field.value for each in ast.walk(field.value)}


def literals(tree: ast.Module, module: str, modules: dict[str, set[str]]) -> Iterator[tuple[int, str]]:
    """Line and text of each name of an option that a module of another subject says."""
    with_names, values = compared(tree), defaults(tree)
    for node in ast.walk(tree):
        if (
            node not in values
            and isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value in modules
        ):
            foreign = module not in modules[node.value]
            if foreign and (node.value not in OTHER_MEANINGS or node in with_names):
                yield node.lineno, node.value


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('allowed = {"iid", "other"}', ["iid"]),
        ('if privacy.name == "none": ...', ["none"]),
        ('if config["privacy"]["name"] in ("none", "iid"): ...', ["none", "iid"]),
        ('reduction = "none"', []),
        ('class Task:\n    contenders: tuple[str, ...] = ("none", "iid")', []),
        ('InputError("privacy", 1, "no", "use privacy=none")', []),
    ],
)
def test_a_literal_is_seen(source: str, names: list[str]) -> None:
    modules = {"iid": {"assay.privacy.rows.iid"}, "none": {"assay.privacy.none"}}
    assert [name for _, name in literals(ast.parse(source), "assay.tasks.cells", modules)] == names
    assert list(literals(ast.parse('name = "iid"'), "assay.privacy.rows.iid", modules)) == []


def module_of(path: Path) -> str:
    """Dotted name of a source file."""
    return ".".join(("assay", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_no_option_is_named_outside_its_class() -> None:
    modules = modules_of_names()
    places = {}
    for path in python_files("src"):
        each = [f"{shown(path)}:{line}: {name}" for line, name in literals(tree_of(path), module_of(path), modules)]
        if each:
            places[shown(path)] = each
    assert not places, "\n".join(line for each in places.values() for line in each)


def test_a_meaning_belongs_to_a_name() -> None:
    assert set(OTHER_MEANINGS) <= set(modules_of_names())
