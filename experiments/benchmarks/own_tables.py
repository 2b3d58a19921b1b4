"""Types that are inferred for real tables, read as csv files of one's own, against a truth written by hand.

`python -m experiments.benchmarks.own_tables` prints the table of docs/your_data.md.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from assay.data.dataset import Dataset
from assay.data.loaders.tables import ADULT, LETTER, MAGIC, PIMA, WINE
from assay.data.own.files import CsvTable
from assay.data.sources.archives import Members
from assay.data.sources.catalogue import catalogue
from assay.data.sources.providers import named_dataset
from assay.data.sources.store import find_archive, open_checked

DATA = Path(os.environ.get("ASSAY_DATA") or Path.home() / ".cache/assay")
_CATEGORIES = (
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
)


@dataclass(frozen=True)
class Real:
    """A real table: its target, the classes (0: a quantity), and the type of each column that is not numeric."""

    name: str
    target: str
    classes: int
    others: Mapping[str, str] = field(default_factory=dict)  # column -> categorical | left out
    archive: bool = True  # False: comes with scikit-learn


# sex is a category that two of them write as 1 and 2
REAL = (
    Real("adult", "income", 2, dict.fromkeys(_CATEGORIES, "categorical")),
    Real("pima", "class", 2),
    Real("magic", "class", 2),
    Real("letter", "class", 26),
    Real("spambase", "class", 2),
    Real("wine_quality_red", "quality", 6),
    Real("credit_default", "default-payment-next-month", 2, {"ID": "left out", "SEX": "categorical"}),
    Real("shuttle", "class", 7),
    Real("iris", "species", 3, archive=False),
    Real("wine", "cultivar", 3, archive=False),
    Real("breast_cancer", "diagnosis", 2, archive=False),
    Real("diabetes", "progression", 0, {"sex": "categorical"}, archive=False),
)


def csv_of(real: Real) -> str | None:
    """The table as a csv file; None where its archive is not on this machine."""
    if not real.archive:
        return _bundled(real)
    source = catalogue()[real.name].source
    files = [(archive, file) for archive in source.archives if (file := find_archive(archive, DATA)) is not None]
    if not files:
        return None
    members = open_checked(*files[0])
    if real.name == "adult":
        return _with_header([*ADULT[:-1], "income"], members, "*adult.data")
    if real.name in ("pima", "magic", "letter"):
        return _with_header(
            [*{"pima": PIMA, "magic": MAGIC, "letter": LETTER}[real.name], "class"],
            members,
            f"*/balanced/raw/{real.name}.dat",
        )
    if real.name == "spambase":
        return _with_header(
            [*(f"word_{place}" for place in range(57)), "class"], members, "*/balanced/raw/spambase.dat"
        )
    if real.name == "credit_default":
        return _content(members, "*UCI_Credit_Card.csv")
    return _of_dataset(named_dataset(real.name, source, None, False, DATA), real)


def _content(members: Members, pattern: str) -> str:
    ((_, content),) = members.matching(pattern)
    return content.decode("latin-1")


def _with_header(names: list[str], members: Members, pattern: str) -> str:
    return ",".join(names) + "\n" + _content(members, pattern)


def _of_dataset(dataset: Dataset, real: Real) -> str:
    """A table whose original is in another form, written as csv with semicolons."""
    frame = dataset.table.select([column.name for column in dataset.columns]).to_pandas()
    labels = [dataset.classes[each] for each in dataset.numbers("assay:target")]
    if real.name == "wine_quality_red":
        frame.columns = pd.Index(WINE)
    return frame.assign(**{real.target: labels}).to_csv(index=False, sep=";")


def _bundled(real: Real) -> str:
    from sklearn import datasets

    load = getattr(datasets, f"load_{real.name}")
    loaded: Any = load(scaled=False, as_frame=True) if real.name == "diabetes" else load(as_frame=True)
    target = loaded.target if real.classes == 0 else loaded.target.map(lambda code: loaded.target_names[code])
    return str(loaded.data.assign(**{real.target: target}).to_csv(index=False))


@dataclass(frozen=True)
class Inferred:
    """The reading of a table: rows, columns, classes, and the columns whose type is not the true one."""

    name: str
    rows: int
    columns: int
    classes: int
    wrong: Mapping[str, str]
    right: int

    @property
    def line(self) -> str:
        """A line of the table."""
        wrong = ", ".join(f"{column}: {what}" for column, what in self.wrong.items()) or "-"
        kind = f"{self.classes} classes" if self.classes else "a quantity"
        return f"| {self.name} | {self.rows} | {self.columns} | {kind} | {self.right} | {wrong} |"


def inferred(real: Real, text: str) -> Inferred:
    """The types that are inferred of a table without a word of its user, against the truth."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"{real.name}.csv"
        path.write_text(text, encoding="utf-8")
        dataset = CsvTable(path=str(path), target=real.target).load(Path(folder))
    assert dataset.description is not None
    said = {**dict.fromkeys(dataset.description.left_out, "left out"), **dataset.description.columns}
    truth = {column: real.others.get(column, "numeric") for column in said}
    wrong = {column: f"{said[column]}, not {truth[column]}" for column in said if said[column] != truth[column]}
    count = len(said)
    return Inferred(real.name, len(dataset), count, len(dataset.classes), wrong, count - len(wrong))


def all_inferred() -> Iterator[Inferred]:
    """The reading of each table that is on this machine."""
    for real in REAL:
        text = csv_of(real)
        if text is not None:
            yield inferred(real, text)


HEADER = "| table | rows | columns | target | types right | types wrong |\n|---|---|---|---|---|---|"

if __name__ == "__main__":
    print(HEADER)
    for reading in all_inferred():
        print(reading.line)
