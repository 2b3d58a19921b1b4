"""The fingerprint: respects what changes a number, ignores what does not."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest

from assay.runs.fingerprint import fingerprint

CONFIG: dict[str, Any] = {
    "name": "study",
    "seed": 0,
    "workers": 1,
    "progress": True,
    "report": False,
    "dataset": {"name": "csv", "path": "a.csv", "download": True, "rows": None, "split": {"train": 0.6}},
    "privacy": {"name": "iid", "epsilon": 8.0},
    "trainer": {"name": "cpu", "accelerator": "cpu", "devices": 1, "checkpoint_seconds": 15, "precision": 64},
    "logger": {"name": "none"},
    "paths": {"outputs": "outputs"},
    "task": {"name": "value", "evaluations": [10, 40]},
}


def changed(key: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    *groups, last = key.split(".")
    place = config
    for group in groups:
        place = place[group]
    place[last] = value
    return config


def test_it_is_the_hash_of_the_canonical_json() -> None:
    config = {"seed": 0, "name": "x", "paths": {"outputs": "o"}, "privacy": {"epsilon": 8.0, "delta": 1e-5}}
    text = json.dumps({"name": "x", "privacy": {"delta": 1e-5, "epsilon": 8}, "seed": 0}, separators=(",", ":"))
    assert fingerprint(config) == hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workers", 2),
        ("progress", False),
        ("report", True),
        ("logger", {"name": "csv", "save_dir": "elsewhere"}),
        ("paths.outputs", "/elsewhere"),
        ("trainer.accelerator", "gpu"),
        ("trainer.devices", 4),
        ("trainer.checkpoint_seconds", 1),
        ("dataset.download", False),
        ("hydra", {"job": 1}),
        ("privacy.epsilon", 8),
    ],
)
def test_it_ignores_what_cannot_change_a_number(key: str, value: Any) -> None:
    assert fingerprint(changed(key, value)) == fingerprint(CONFIG)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other"),
        ("seed", 1),
        ("dataset.rows", 100),
        ("dataset.split.train", 0.5),
        ("dataset.path", "b.csv"),
        ("privacy.epsilon", 8.5),
        ("trainer.precision", 32),
        ("trainer.name", "gpu"),
        ("task.evaluations", [40, 10]),
        ("seed", "0"),
        ("dataset.rows", False),
    ],
)
def test_it_respects_what_can(key: str, value: Any) -> None:
    assert fingerprint(changed(key, value)) != fingerprint(CONFIG)


def test_the_content_of_the_file_stands_for_its_place() -> None:
    elsewhere = changed("dataset.path", "/moved/b.csv")
    assert fingerprint(CONFIG, "abc") == fingerprint(elsewhere, "abc")
    assert fingerprint(CONFIG, "abc") != fingerprint(CONFIG, "abd")
    assert fingerprint(CONFIG, "abc") != fingerprint(CONFIG)


def test_it_ignores_the_order_of_keys() -> None:
    assert fingerprint(dict(reversed(CONFIG.items()))) == fingerprint(CONFIG)
