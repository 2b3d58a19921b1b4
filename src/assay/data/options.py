"""Options that every dataset has: plain values, their limits, and what they ask of each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from assay.config.limits import above, at_least, not_empty, share
from assay.config.typed import shown
from assay.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.arrays import Integers
    from assay.config.choices import Choices
    from assay.data.content import Content
    from assay.data.dataset import Dataset
    from assay.data.neighbours import Change

Share = Annotated[float, share("0.3 is 30 %")]
SplitSize = Annotated[float, at_least(0, "a share below 1, or a number of rows from 1 on")]
ColumnType = Literal["numeric", "categorical", "text", "ignore"]


@dataclass(frozen=True)
class Split:
    """Sizes of the three parts: a share of the rows below 1, a number of rows from 1 on."""

    train: SplitSize = 0.6
    valid: SplitSize = 0.2
    test: SplitSize = 0.2

    @property
    def sizes(self) -> dict[str, float]:
        """Size of each part by its name, in the order train, valid, test."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def check(self, rows: int | None) -> None:
        """Raises InputError when the sizes contradict each other, or need more than `rows` rows."""
        sizes = self.sizes
        for part in ("train", "valid"):
            if sizes[part] == 0:
                raise InputError(f"dataset.split.{part}", "0", "must be > 0", "a share, or a number of rows")
        for part, size in sizes.items():
            if size > 1 and not float(size).is_integer():
                limit = "a number of rows is whole"
                raise InputError(f"dataset.split.{part}", f"{size:g}", limit, "or a share below 1")
        written = shown({part: f"{size:g}" for part, size in sizes.items()})
        shares = sum(size for size in sizes.values() if size < 1)
        counts = sum(size for size in sizes.values() if size >= 1)
        if shares > 1 + 1e-9:
            limit = f"the shares sum to {shares:g}, above 1"
            raise InputError("dataset.split", written, limit, "lower one of them")
        if rows is not None and counts + shares * rows > rows + 1e-6:
            limit = f"needs {counts + shares * rows:g} rows and dataset.rows={rows} leaves {rows}"
            raise InputError("dataset.split", written, limit, "raise dataset.rows or lower the split")


@dataclass(frozen=True)
class Corruption:
    """Known damage to train rows, so that finding it can be scored."""

    labels: Share = 0.0
    features: Share = 0.0
    scale: Annotated[float, above(0, "standard deviations of a column")] = 1.0
    sources: Annotated[float | None, share("null damages rows of any source")] = None

    def check(self) -> None:
        """Raises InputError for bad sources without a wrong target."""
        if self.sources is not None and not self.labels:
            limit = "is where the wrong targets are, and dataset.corruption.labels=0 makes none"
            raise InputError("dataset.corruption.sources", self.sources, limit, "e.g. dataset.corruption.labels=0.5")


@dataclass(frozen=True)
class Owners:
    """Division of train rows among sources (data owners)."""

    count: Annotated[int, at_least(0, "0 leaves the rows without sources")] = 0
    how: Literal["random", "dirichlet", "label"] = "random"
    alpha: Annotated[float, above(0, "small is a strong label skew")] = 0.5


@dataclass(frozen=True)
class Preprocess:
    """The way from columns to features."""

    encoder: Literal["minilm", "efficientnet_lite0"] | None = None
    standardize: bool = True
    components: Annotated[int | None, at_least(1, "null keeps every column")] = None
    norm: Annotated[float | None, above(0, "null leaves the rows' norms as they are")] = None
    buckets: Annotated[int, at_least(1, "e.g. 1024")] = 1024
    tokens: Annotated[int | None, at_least(1, "null counts the words of a text")] = None

    def check(self, name: str, modality: str) -> None:
        """Raises InputError when the encoder reads no column of such a dataset, and for what token ids cannot have."""
        from assay.data.encoding.encoders import ENCODERS

        if self.tokens is not None:
            for key in ("encoder", "components", "norm"):
                if getattr(self, key) is not None:
                    limit = "makes numbers of texts, and dataset.preprocess.tokens ids of words"
                    raise InputError(f"dataset.preprocess.{key}", getattr(self, key), limit, "leave one of them null")
            if modality not in ("text", "auto"):
                limit = f"reads texts and dataset={name} is a dataset of {modality}s"
                raise InputError("dataset.preprocess.tokens", self.tokens, limit, "leave it null")

        if self.encoder is None or modality in (ENCODERS[self.encoder].reads, "auto"):
            return
        limit = f"reads a column of type {ENCODERS[self.encoder].reads} and dataset={name} is a dataset of {modality}s"
        fitting = next((encoder.name for encoder in ENCODERS.values() if encoder.reads == modality), None)
        raise InputError(
            "dataset.preprocess.encoder", self.encoder, limit, f"use {fitting}" if fitting else "leave it null"
        )

    @property
    def leaves_columns(self) -> bool:
        """True where features are the columns as they are."""
        return not self.standardize and self.components is None and self.norm is None


@dataclass(frozen=True)
class DatasetOptions:
    """Base of every dataset: which rows and columns of it, their division, damage and preprocessing.

    A dataset of your own that is neither a table file nor a hub id is a subclass with fields of its own and a method
    `load(data_dir) -> Dataset` (see `assay.data.dataset.build_dataset`); its YAML file in a folder `dataset` of
    --config-dir begins with `defaults: [_base]` and names the class by `_target_`. Its types, classes and declared
    categories are taken for public; override `load_blind` where they are read off private rows.
    """

    unrecorded: ClassVar[frozenset[str]] = frozenset({"source"})  # keys of facts that change no number of a run
    marked: ClassVar[bool] = True  # its rows may be marked as damaged by the loader; False is known before loading

    name: str = ""
    kind: Literal["regression", "classification", "auto"] = "auto"
    modality: Literal["table", "image", "text", "auto"] = "auto"
    features: Annotated[list[str] | None, not_empty("null keeps every column")] = None
    types: dict[str, ColumnType] = field(default_factory=dict)
    classes: Annotated[list[str] | list[list[str]] | None, not_empty("null keeps every class")] = None
    rows: Annotated[int | None, at_least(1, "null keeps every row")] = None
    split: Split = field(default_factory=Split)
    corruption: Corruption = field(default_factory=Corruption)
    sources: Owners = field(default_factory=Owners)
    preprocess: Preprocess = field(default_factory=Preprocess)

    @property
    def owned(self) -> bool:
        """False where rows are known to have no owners before they are loaded."""
        return True

    @property
    def content(self) -> Content | None:
        """The user's file behind the options, read once; None for data that lie elsewhere."""
        return None

    @property
    def checksum(self) -> str | None:
        """The sha256 of the user's data behind the options; None for data that lie elsewhere."""
        return None if self.content is None else self.content.sha256

    def load(self, data_dir: Path) -> Dataset:
        """The dataset in storage form; InputError or AssayError in one line when it cannot be read."""
        raise NotImplementedError

    def load_blind(
        self, data_dir: Path, valid: Callable[[int, Integers | None], Integers], change: Change | None = None
    ) -> Dataset:
        """The dataset, read so that nothing but its own cells depends on a private row.

        `valid` gives the positions of the public rows out of a number of rows and, where there is one, the official
        partition. A dataset whose types, categories and classes are declared is loaded as it is. A `change` is made to
        one row before anything is read off the table.
        """
        del valid
        dataset = self.load(data_dir)
        return dataset if change is None else change.of_dataset(dataset)

    def check(self, run: Choices) -> None:
        """Raises InputError when the options contradict each other, or the privacy of the run."""
        self.check_options()
        if run.private:
            self.check_private()

    def check_options(self) -> None:
        """Raises InputError when the options contradict each other."""
        self.split.check(self.rows)
        self.preprocess.check(self.name, self.modality)
        self.corruption.check()
        if self.preprocess.tokens is not None and self.corruption.features:
            limit = "adds noise to numbers, and dataset.preprocess.tokens makes ids of words"
            raise InputError("dataset.corruption.features", f"{self.corruption.features:g}", limit, "leave it at 0")
        if self.features is not None and len(set(self.features)) < len(self.features):
            twice = next(name for name in self.features if self.features.count(name) > 1)
            raise InputError("dataset.features", shown(self.features), f"names {twice} twice", "name it once")
        if self.classes is not None and self.kind == "regression":
            limit = "the target is a quantity, not a class"
            raise InputError("dataset.classes", shown(self.classes), limit, "leave it null")

    def check_private(self) -> None:
        """Raises InputError for an option by which something public would depend on private cells."""
