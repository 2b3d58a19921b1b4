"""Names are nouns of the field, and summaries name a thing or start with a verb."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from house import documented, python_files, shown, tree_of

BANNED = (
    *("told", "tell", "tells", "had", "found", "held", "kept", "parted", "spoilt", "dear", "dearer", "dearest"),
    *("betray", "betrays", "betrayed", "betraying", "heed", "heeds", "heeded", "heedless"),
)
PHRASES = ("come by", "comes by", "came by", "bear out", "bears out", "borne out", "in earnest", "by itself")
QUESTION = re.compile(r"(What|Which|How|Whether)\b")
WORDS = re.compile(rf"\b({'|'.join((*BANNED, *PHRASES))})\b|\ban? \w+ of (its|their) own\b", re.IGNORECASE)
LONGEST_SUMMARY = 25
FOLDERS = ("src", "tests", "experiments")


def words_of(name: str) -> list[str]:
    """The words of an identifier, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def names_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of each name that a file binds: modules apart, everything a reader meets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def summary(text: str) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(text.strip().split("\n\n")[0].split())


def faults(path: Path, tree: ast.Module) -> Iterator[str]:
    """Places of a file that break a rule, with the reason."""
    for line, name in names_in(tree):
        for word in set(words_of(name)) & set(BANNED):
            yield f"{shown(path)}:{line}: {name}: {word} in a name"
    for line, text in documented(tree):
        first = summary(text)
        if QUESTION.match(first):
            yield f"{shown(path)}:{line}: a summary begins with {first.split()[0]}"
        if banned := WORDS.search(first):
            yield f"{shown(path)}:{line}: {banned[0]!r} in a summary"
        if len(re.findall(r"[A-Za-z]{2,}", re.split(r"(?<=[.:;?!])\s", first)[0])) > LONGEST_SUMMARY:
            yield f"{shown(path)}:{line}: a summary of more than {LONGEST_SUMMARY} words"
        if not first.endswith((".", ":", "?", "!")):
            yield f"{shown(path)}:{line}: a summary is a sentence and ends with a full stop"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("found_rows = 1", "found in a name"),
        ("def tell(): ...", "tell in a name"),
        ('"""What a row adds."""', "begins with What"),
        ('"""A row by itself."""', "'by itself' in a summary"),
        ('"""A ledger of its own\n\nMore."""', "of its own"),
        ('"""A ledger"""', "full stop"),
        (f'"""A{" ledger" * 26}."""', "more than 25 words"),
    ],
)
def test_a_fault_is_seen(source: str, reason: str) -> None:
    assert any(reason in fault for fault in faults(Path(__file__), ast.parse(source)))


def test_words_are_whole() -> None:
    source = '"""Foundation of threshold, heldout. Values that were found to be told."""\nnotfound = Foundations = held_out_ = 1'
    assert [fault.split(": ", 1)[1] for fault in faults(Path(__file__), ast.parse(source))] == [
        "held_out_: held in a name",
        "'found' in a summary",
    ]


def all_faults(folders: Iterable[str] = FOLDERS) -> dict[Path, list[str]]:
    """Faults of each file."""
    return {path: list(faults(path, tree_of(path))) for path in python_files(*folders)}


def test_english_is_plain() -> None:
    faulty = [fault for each in all_faults().values() for fault in each]
    assert not faulty, "\n".join(faulty)
