"""Hashes of code: the user's modules with what they import, and live objects by their content."""

from __future__ import annotations

import functools
import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import assay
from assay.config.locations import conf_root
from assay.errors import AssayError
from assay.runs.objects import fingerprint_of_object
from assay.runs.sources import own_sources, sources_of_config, sources_of_module

FILES = {
    "mine.py": "import helper\nfrom package.part import thing\nimport numpy\nclass Method: ...\n",
    "helper.py": "VALUE = 1\n",
    "package/__init__.py": "",
    "package/part.py": "from . import deep\nfrom .deep import more as thing\n",
    "package/deep/__init__.py": "",
    "package/deep/more.py": "import mine\n",  # a circle
    "unused.py": "VALUE = 2\n",
    "wrong.py": "def broken(:\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mine", "helper", "package", "unused", "wrong"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


CONFIG = {"valuation": {"_target_": "mine.Method", "alpha": 1}, "model": {"_target_": "sklearn.svm.SVC"}}


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("unused.py", "wrong.py")])
def test_an_edit_of_the_method_or_of_what_it_imports_is_another_code(root: Path, name: str) -> None:
    before = sources_of_config(CONFIG)
    assert before == sources_of_config({**CONFIG, "seed": 3})
    (root / name).write_text(f"{FILES[name]}\n# edited\n")
    assert sources_of_config(CONFIG) != before


def test_an_edit_elsewhere_is_none(root: Path) -> None:
    before = sources_of_config(CONFIG)
    (root / "unused.py").write_text("VALUE = 3\n")
    (root / "data.csv").write_text("a,b\n")
    assert sources_of_config(CONFIG) == before


def test_the_place_does_not_matter(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    code = (
        "import sys; from assay.runs.sources import sources_of_module\n"
        "sys.path.insert(0, sys.argv[1]); print(sources_of_module('mine'), 'mine' in sys.modules)"
    )
    for name, text in FILES.items():
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text(text)
    done = subprocess.run([sys.executable, "-c", code, str(elsewhere)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [sources_of_module("mine"), "False"]  # hashed without being imported


def test_lists_of_targets_count(root: Path) -> None:
    assert sources_of_config({"task": {"contenders": [{"valuation": {"_target_": "mine.Method"}}]}}) == (
        sources_of_config({"valuation": {"_target_": "mine.Method"}})
    )


@pytest.mark.parametrize(
    "target", ["assay.tasks.value.Value", "sklearn.svm.SVC", "json.JSONDecoder", "sys.exit", "nowhere.X"]
)
def test_installed_modules_have_no_code_of_the_user(target: str) -> None:
    assert sources_of_config({"model": {"_target_": target}}) is None


def test_a_file_that_does_not_parse_counts_as_it_is(root: Path) -> None:
    before = sources_of_module("wrong")
    (root / "wrong.py").write_text("def broken(::\n")
    assert before is not None
    assert sources_of_module("wrong") != before


def test_own_sources_are_code_and_options() -> None:
    package = Path(assay.__file__).parent
    files = {f"{file.relative_to(package).as_posix()}": file for file in package.rglob("*.py")}
    files |= {f"conf/{file.relative_to(conf_root()).as_posix()}": file for file in conf_root().rglob("*.yaml")}
    lines = [f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for name, file in sorted(files.items())]
    assert own_sources() == hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass
class Point:
    x: Any
    y: Any = 0


class Plain:
    def __init__(self, **parameters: Any) -> None:
        self.__dict__.update(parameters)


class Estimator:
    """Has parameters in scikit-learn's way, and a fitted state that is none."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha, self.fits = alpha, 0

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"alpha": self.alpha}


def circle() -> Plain:
    thing = Plain(a=1)
    thing.me = thing  # type: ignore[attr-defined]
    return thing


MAKERS: list[Callable[[], Any]] = [
    lambda: Point(1),
    lambda: Point(2),
    lambda: Point([1, 2]),
    lambda: Point({"a": 1}),
    lambda: Point({1, 2, "c"}),
    lambda: Point("1"),
    lambda: Point(None),
    lambda: Point(True),
    lambda: Point(0.1),
    lambda: Point(np.arange(3.0)),
    lambda: Point(np.arange(3.0, dtype=np.float32)),
    lambda: Point(np.arange(4.0)),
    lambda: Point(pd.DataFrame({"a": [1, 2]})),
    lambda: Point(pd.DataFrame({"b": [1, 2]})),
    lambda: Point(pd.DataFrame({"a": ["1", "2"]})),
    lambda: Point(np.random.default_rng(0)),
    lambda: Point(np.random.default_rng(1)),
    lambda: Point(len),
    lambda: Point(max),
    lambda: Point(circle),
    lambda: Point(lambda x: x + 1),
    lambda: Point(lambda x: x + 2),
    lambda: Point(functools.partial(max, 1)),
    lambda: Point(functools.partial(max, 2)),
    lambda: Point(Plain),
    lambda: Plain(x=1, y=0),
    lambda: Plain(x=Point(1)),
    lambda: Plain(x=Point(2)),
    lambda: Estimator(1.0),
    lambda: Estimator(2.0),
    circle,
]


def test_equal_content_is_equal_and_other_content_is_not() -> None:
    first, second = ([fingerprint_of_object(make()) for make in MAKERS] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


def test_what_an_estimator_has_learned_is_no_parameter() -> None:
    fitted = Estimator()
    fitted.fits = 3
    assert fingerprint_of_object(fitted) == fingerprint_of_object(Estimator())


def test_numbers_are_equal_as_in_a_config() -> None:
    assert (
        fingerprint_of_object(Point(8))
        == fingerprint_of_object(Point(8.0))
        == fingerprint_of_object(Point(np.int64(8)))
    )


def test_another_source_of_the_class_is_another_object() -> None:
    """As in a notebook, whose classes live in __main__ and are edited in place."""
    code = (
        "import sys; from assay.runs.objects import fingerprint_of_object\n"
        "exec(sys.argv[1]); print(fingerprint_of_object(Method(2)))"
    )
    prints = []
    for body in ("self.a = a", "self.a = a", "self.a = a + 0"):
        source = f"class Method:\n    def __init__(self, a): {body}\n"
        done = subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True, check=True)
        prints.append(done.stdout)
    assert prints[0] == prints[1] != prints[2]


def test_an_object_whose_content_cannot_be_read_is_one_line() -> None:
    with pytest.raises(AssayError, match=r"^\w+: its content cannot be read"):
        fingerprint_of_object(Point(sys._getframe()))
