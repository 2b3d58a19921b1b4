"""Options of a dataset whose YAML file says where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.data.options import DatasetOptions
from assay.data.sources.source import Source

if TYPE_CHECKING:
    from assay.data.content import Content
    from assay.data.dataset import Dataset


@dataclass(frozen=True)
class NamedDataset(DatasetOptions):
    """A dataset of the catalogue: its YAML file says what it is and where its files come from."""

    marked: ClassVar[bool] = False

    path: str | None = None
    download: bool = True
    source: Source = field(default_factory=lambda: Source("", ""))

    @property
    def owned(self) -> bool:
        """True where the catalogue says that rows have owners, or the options draw some."""
        return self.source.owned or bool(self.sources.count)

    @cached_property
    def content(self) -> Content | None:
        """The user's copy of one of the sources; None without one. Raises InputError when it is none."""
        from assay.data.sources.copies import read_copy

        return None if self.path is None else read_copy(self.name, self.source, self.path)

    def __getstate__(self) -> dict[str, Any]:
        """The options without the bytes of a file."""
        return {name: value for name, value in self.__dict__.items() if name != "content"}

    def load(self, data_dir: Path) -> Dataset:
        """The dataset from the first source that has it; InputError or AssayError in one line when none has."""
        from assay.data.changes import with_columns, with_kind
        from assay.data.sources.providers import named_dataset

        dataset = named_dataset(self.name, self.source, self.content, self.download, data_dir)
        return with_kind(with_columns(dataset, self.features, self.types), self.kind)
