"""`assay explain`: every key of every option, with its type, limit, default and comment."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from assay.config.limits import above
from assay.config.listing import experiments, options
from assay.config.reference import kind_of, reference_of
from assay.config.root import GROUPS

EVERY = [(group, name) for group in GROUPS for name, _ in options(group)]


@pytest.mark.parametrize(("group", "option"), EVERY)
def test_every_option_has_a_page(assay: Any, group: str, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = assay("explain", f"{group}={option}")
    assert said.status == 0
    assert dict(options(group))[option].split()[0] in said.out
    reference = reference_of(group, option)
    for key in reference.keys:
        assert f"{group}.{key.name}={key.default}".split()[0] in said.out
    words = [line for line in said.out.splitlines() if len(line) > 80 and " " in line.strip()]
    assert words == []


@pytest.mark.parametrize("name", [name for name, _ in experiments()])
def test_every_experiment_has_a_page(assay: Any, name: str) -> None:
    said = assay("explain", f"experiment={name}")
    assert said.status == 0
    assert f"assay run experiment={name}" in said.out
    assert "?" in said.out or "question: " in said.out


def test_limits_defaults_and_comments_come_from_class_and_file() -> None:
    keys = {key.name: key for key in reference_of("privacy", "iid").keys}
    assert keys["epsilon"].kind == "number"
    assert "must be > 0" in keys["epsilon"].limit
    assert keys["epsilon"].default == "8.0"
    assert "null" in keys["total"].kind
    assert keys["secure_noise"].comment
    sizes = {key.name: key.default for key in reference_of("task", "audit").keys}
    assert sizes["trials"] == "smoke 400, laptop 40000, paper 400000"


def test_keys_of_nested_classes_are_named_in_full() -> None:
    names = [key.name for key in reference_of("dataset", "csv").keys]
    assert {"split.train", "corruption.labels", "path", "encoding"} <= set(names)
    assert "name" not in names


def test_one_key_over_all_options(assay: Any) -> None:
    said = assay("explain", "privacy.epsilon")
    assert said.status == 0
    assert all(name in said.out for name in ("iid", "directed", "white"))
    assert "none" not in [line.split()[1] for line in said.out.splitlines() if line.startswith("epsilon")]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nope"],
        ["privacy=idd"],
        ["privacy.epsilonn"],
        ["experiment=quick"],
        ["experiment"],
        ["model.epsilon.x"],
        ["a", "b"],
    ],
)
def test_wrong_questions_end_in_one_line(assay: Any, arguments: list[str]) -> None:
    said = assay("explain", *arguments)
    assert said.status == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_an_option_of_a_users_own_is_explained_too(assay: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf" / "privacy").mkdir(parents=True)
    (tmp_path / "users_noise.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Mine:\n"
        '    """Noise of mine.\n\n    Source: a notebook.\n    """\n    strength: int = 3\n'
    )
    (tmp_path / "conf" / "privacy" / "mine.yaml").write_text(
        "# My noise\n_target_: users_noise.Mine\nstrength: 4   # how strong\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    said = assay("explain", "privacy=mine", "--config-dir", str(tmp_path / "conf"))
    assert said.status == 0
    assert [line.strip() for line in said.out.splitlines() if line.strip()] == [
        "My noise",
        "Noise of mine.",
        "source: a notebook.",
        "privacy.strength=4",
        "how strong",
        "whole number",
    ]


@dataclasses.dataclass(frozen=True)
class _Types:
    plain: int
    bounded: Annotated[float | None, above(0, "raise it")]
    chosen: Literal["a", "b"]
    several: list[str] | None
    named: dict[str, float]


def test_types_read_as_words() -> None:
    import typing

    hints = typing.get_type_hints(_Types, include_extras=True)
    assert [kind_of(hint) for hint in hints.values()] == [
        "whole number",
        "number or null",
        "a | b",
        "list of text or null",
        "mapping to number",
    ]


def test_an_explanation_imports_nothing_heavy() -> None:
    program = "import sys; from assay.cli import main; main(['explain', 'valuation=scaling_law']); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "False"
