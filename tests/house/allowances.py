"""Breaches of the rules of the house that older code still has; a number may only fall."""

from __future__ import annotations

LONG_FILES: set[str] = {"tests/tasks/test_tasks_scaling.py", "tests/valuation/test_valuation_directed.py"}
OTHER_DEFAULTS: set[str] = {"paths=default"}
ENGLISH: dict[str, int] = {
    "src/assay/api.py": 1,
    "src/assay/cli": 9,
    "src/assay/config": 14,
    "src/assay/learning": 20,
    "src/assay/selection": 5,
    "src/assay/tasks": 52,
    "src/assay/valuation": 94,
    "tests/cli": 12,
    "tests/config": 3,
    "tests/tasks": 18,
    "tests/test_docs.py": 1,
    "tests/valuation": 117,
}
LITERALS: dict[str, int] = {
    "src/assay/api.py": 5,
    "src/assay/figures/estimators.py": 2,
    "src/assay/tasks/law_estimators.py": 1,
}
