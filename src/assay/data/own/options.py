"""Options that every table of a user's own has: target, missing cells, schema, index, owners."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from assay.config.limits import not_empty
from assay.config.typed import shown
from assay.data.options import DatasetOptions
from assay.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from assay.arrays import Integers
    from assay.data.dataset import Dataset
    from assay.data.neighbours import Change
    from assay.data.own.schema import Schema
    from assay.data.own.storage import RawTable, Wanted
    from assay.data.provenance import Provenance


@dataclass(frozen=True)
class OwnTable(DatasetOptions):
    """Base of a user's own table; column types and the kind of target are inferred where neither options nor schema say."""

    marked: ClassVar[bool] = False

    path: Annotated[str | list[str] | None, not_empty("null is none")] = None
    target: str | None = None
    missing: Literal["error", "drop"] = "error"
    na: list[str | None] = field(default_factory=list)
    decimal: Literal["point", "comma"] | None = None
    index: str | None = None
    owner: str | None = None
    schema: str | None = None

    @property
    def owned(self) -> bool:
        """True where sources are drawn, a column names them, or each of several files is one."""
        return bool(self.sources.count) or self.owner is not None or len(self.paths) > 1

    @property
    def paths(self) -> list[str]:
        """The paths of the files."""
        return [] if self.path is None else [self.path] if isinstance(self.path, str) else self.path

    @cached_property
    def described(self) -> Schema | None:
        """The schema, read once; InputError when it is none."""
        from assay.data.own.schema import read_schema

        return None if self.schema is None else read_schema(self.schema)

    @property
    def checksum(self) -> str | None:
        """The sha256 of the user's data, with its schema where there is one."""
        data = super().checksum
        if data is None or self.schema is None:
            return data
        schema = Path(self.schema).expanduser().read_bytes()
        return hashlib.sha256(data.encode() + schema).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """The options without the bytes of a file."""
        return {name: value for name, value in self.__dict__.items() if name not in ("content", "described")}

    def raw(self) -> RawTable:
        """The cells of the table, out of the bytes that were read once."""
        raise NotImplementedError

    def load(self, data_dir: Path) -> Dataset:
        """The dataset, judged by all rows; InputError for what the user can mend."""
        from assay.data.own.storage import stored

        return stored(self.raw(), self._wanted(), self.described)

    def load_blind(
        self, data_dir: Path, valid: Callable[[int, Integers | None], Integers], change: Change | None = None
    ) -> Dataset:
        """The dataset, judged by the schema or the public rows alone; InputError never depends on a private cell."""
        from assay.data.own.blind import stored_blind

        raw = self.raw() if change is None else change.of_cells(self.raw(), str(self.target))
        dataset = stored_blind(raw, self._wanted(), self.described, valid)
        named = {name for group in self.classes or () for name in ([group] if isinstance(group, str) else group)}
        if self.classes is not None and set(dataset.classes) - named:
            limit = "leaves rows out by their label, and the run is private"
            raise InputError(
                "dataset.classes", shown(self.classes), limit, "name every class, or merge some: [[a,b],[c]]"
            )
        return dataset

    def check_options(self) -> None:
        """Raises InputError when the options contradict each other, or path or target are not given."""
        super().check_options()
        if self.owner is not None and self.sources.count:
            limit = f"names the sources, and dataset.sources.count={self.sources.count} draws others"
            raise InputError("dataset.owner", self.owner, limit, "give one of the two")
        for key, need in (("path", "your file or folder"), ("target", "the column to predict")):
            if getattr(self, key) is None:
                raise InputError(
                    f"dataset.{key}", "null", f"dataset={self.name} needs {need}", f"add dataset.{key}=..."
                )
        if self.described is not None and self.types:
            first = next(iter(self.types))
            raise InputError(f"dataset.types.{first}", self.types[first], "the schema says it", "edit dataset.schema")

    def check_private(self) -> None:
        """Raises InputError for an option by which something public would depend on private cells."""
        super().check_private()
        if self.missing == "drop":
            limit = "shows which rows have a missing cell, and the run is private"
            remedy = "leave it out: a missing private cell becomes a public value"
            raise InputError("dataset.missing", "drop", limit, remedy)
        if self.described is not None and not self.described.public:
            limit = "does not say `public: true`, and the run is private"
            raise InputError(
                "dataset.schema", self.schema, limit, "edit it until it shows no private cell, then say so"
            )

    def _wanted(self) -> Wanted:
        from assay.data.own.storage import Wanted

        return Wanted(self.target, self.features, self.types, self.kind, self.modality, self.missing, self.index)

    def _check_names(self, names: list[str], aside: Mapping[str, str] | None = None) -> None:
        """Raises InputError when a column that the options name is not there; those of `aside` need no schema."""
        from assay.data.own.columns import check_named, check_names

        reserved = next((name for name in names if name.startswith("assay:")), None)
        if reserved is not None:
            raise InputError("dataset.path", reserved, "is the name of a column that assay adds", "rename it")
        if self.owner is not None:
            check_named("dataset.owner", self.owner, names, self.target)
            names = [name for name in names if name != self.owner]
        check_names(names, self.target, self.features, self.types)
        if self.index is not None:
            check_named("dataset.index", self.index, names, self.target)
        if self.described is not None and self.target is not None and self.schema is not None:
            known = [name for name in names if name not in (aside or {}) or name in self.described.columns]
            self.described.check_table(known, self.target, self.schema)

    def _raw(
        self, table: pa.Table, written: bool, provenance: Provenance, files: Integers | None, **facts: Any
    ) -> RawTable:
        """The table with its conventions and owners; `files` is the file of each row where there are several."""
        from assay.data.own.owners import owners_of
        from assay.data.own.reading import Conventions
        from assay.data.own.storage import RawTable

        sign: dict[str | None, Literal[".", ","] | None] = {None: None, "point": ".", "comma": ","}
        na = tuple("null" if text is None else text for text in self.na)
        names = tuple(Path(path).name for path in self.paths)
        table, owners, owner_names = owners_of(table, self.owner, files, names)
        conventions = Conventions(na, sign[self.decimal])
        return RawTable(
            table, written, provenance, conventions=conventions, owners=owners, owner_names=owner_names, **facts
        )
