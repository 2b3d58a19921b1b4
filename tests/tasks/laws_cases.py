"""The data that tests of tasks on scaling laws share."""

from __future__ import annotations

SMALL = (
    "dataset=breast_cancer",
    "dataset.split={train: 330, valid: 100, test: 139}",
    "dataset.preprocess={components: 5, norm: 2}",
    "valuation.smallest=20",
    "valuation.largest=119",
)
