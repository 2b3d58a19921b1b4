"""A package of a user's own: one option of each kind, in files of its own."""

from __future__ import annotations

from pathlib import Path

METHODS = '''
from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import above, not_empty
from assay.data.options import DatasetOptions
from assay.errors import InputError
from assay.learning.models.model import Model
from assay.privacy.rows.gradients import GivenNorm
from assay.report.loggers.logger import Logger


@dataclass(frozen=True)
class Distance:
    """Closeness to the mean of the valid split."""

    accounts_for: ClassVar[frozenset[Any]] = frozenset()
    players: ClassVar[str] = "rows"
    power: Annotated[float, above(0, "1 is the distance itself")] = 1.0
    name: str = "distance"

    def check(self, run: Any) -> None:
        if run.dataset.name == "wine":
            raise InputError("valuation", self.name, "knows no wine", "use another dataset")

    def valuate(self, problem: Any, run: Any) -> Any:
        from assay.valuation.valuator import Valuation
        from assay.valuation.values import Values

        train, valid = problem.data.train, problem.data.valid
        distance = np.linalg.norm(train.features - valid.features.mean(axis=0), axis=1) ** self.power
        unknown, counts = np.full(len(distance), np.nan), np.ones(len(distance), dtype=np.int64)
        return Valuation(Values(train.ids, -distance, unknown, counts), math.inf, utility_evaluations=0)


@dataclass(frozen=True)
class Pretended(Distance):
    """Says that it accounts for gradients of rows, and charges nothing."""

    accounts_for: ClassVar[frozenset[Any]] = frozenset({"row_gradient"})
    name: str = "pretended"


@dataclass(frozen=True)
class Uneven(GivenNorm):
    """Independent noise of which odd releases have less."""

    tilt: Annotated[float, above(0, "2 gives odd releases twice the share")] = 2.0
    name: str = "uneven"

    def noise_multipliers(self, releases: int) -> Any:
        shares = np.where(np.arange(releases) % 2, 1.0, self.tilt)
        return self.budget.noise_multipliers(shares / shares.sum(), self.sensitivity)


@dataclass(frozen=True)
class Neighbours(Model):
    """Nearest neighbours."""

    fitted_whole: ClassVar[bool] = True
    fits: ClassVar[frozenset[str]] = frozenset({"classification"})
    count: Annotated[int, above(0, "3 is a start")] = 3
    name: str = "neighbours"

    def unfitted(self, shape: Any, rows: int, seed: int) -> Any:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=min(self.count, rows))


@dataclass(frozen=True)
class Spread:
    """Do values spread?"""

    reads_test: ClassVar[bool] = False
    above: Annotated[float, above(0, "e.g. 1")] = 1.0
    name: str = "spread"

    def answer(self, problem: Any, valuator: Any, run: Any) -> Any:
        from assay.runs import Outcome

        found = valuator.valuate(problem, run)
        table = found.values.table()
        return Outcome({"spread": float(table["value"].std() / self.above)}, {"values": table}, ledger=found.ledger)


@dataclass(frozen=True)
class Rings(DatasetOptions):
    """Two rings."""

    radius: Annotated[float, above(0, "2 is twice the inner one")] = 2.0
    name: str = "rings"

    def load(self, data_dir: Path) -> Any:
        from assay.data.dataset import build_dataset
        from assay.data.provenance import Provenance

        angle = np.linspace(0, 20, 90)
        outer = np.arange(90) % 2
        size = np.where(outer, self.radius, 1.0)
        columns = {"x": size * np.cos(angle), "y": size * np.sin(angle)}
        source = Provenance("drawn", "rings", "00")
        return build_dataset(columns, outer, kind="classification", classes=("in", "out"), provenance=source)


@dataclass(frozen=True)
class Lines(Logger):
    """Lines of JSON."""

    name: str = "lines"
    save_dir: Annotated[str, not_empty("a folder")] = "lines"

    def send(self, record: Any) -> None:
        file = Path(self.save_dir) / "lines.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(each, default=str) for each in (record.config, record.metrics)]
        file.write_text(chr(10).join(lines))
'''

OPTIONS = {
    "valuation/distance": "# Closeness to the mean of valid\nname: distance\n_target_: own_methods.Distance\npower: 1.0\n",
    "valuation/pretended": "# Pretends to account\nname: pretended\n_target_: own_methods.Pretended\npower: 1.0\n",
    "privacy/uneven": "# Uneven noise\nname: uneven\n_target_: own_methods.Uneven\nepsilon: 4.0\ntilt: 3.0\n",
    "model/neighbours": "# Nearest neighbours\nname: neighbours\n_target_: own_methods.Neighbours\ncount: 3\n",
    "task/spread": "# Do values spread?\nname: spread\n_target_: own_methods.Spread\nabove: 1.0\n",
    "dataset/rings": "# Two rings\ndefaults: [_base]\nname: rings\n_target_: own_methods.Rings\nkind: classification\n"
    "modality: table\nradius: 2.0\n",
    "logger/lines": "# Lines of JSON\nname: lines\n_target_: own_methods.Lines\nsave_dir: ${paths.outputs}/lines\n",
}


def write_package(folder: Path) -> Path:
    """Writes the module and its YAML files; returns the folder of the options."""
    (folder / "own_methods.py").write_text(METHODS)
    for name, text in OPTIONS.items():
        file = folder / "own_conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / "own_conf"
