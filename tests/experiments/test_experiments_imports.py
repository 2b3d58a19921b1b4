"""Every script of the papers and every benchmark can be imported: they use what the package offers today."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SCRIPTS = [
    ".".join(path.relative_to(TOP).with_suffix("").parts) for path in sorted((TOP / "experiments").rglob("*.py"))
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_imported(script: str) -> None:
    importlib.import_module(script)
