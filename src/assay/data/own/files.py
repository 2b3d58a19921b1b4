"""Options of tables in files: csv, parquet, Arrow, JSON lines and Excel."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from assay.config.limits import Limit
from assay.data.own.columns import unnamed
from assay.data.own.csv import Header, Layout, is_encoding, read_header
from assay.data.own.delimiters import is_delimiter
from assay.data.own.options import OwnTable
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Integers
    from assay.data.content import Content
    from assay.data.own.storage import RawTable

Encoding = Annotated[str, Limit(is_encoding, "is no text encoding", "e.g. utf-8, cp1252, latin-1 or utf-16")]
Delimiter = Annotated[str, Limit(is_delimiter, "is no delimiter", "comma, semicolon, tab, bar, space or one character")]
Columns = tuple[list[str], dict[str, str]]  # names, and the reason for each that is no feature
Compression = Literal["gzip", "bz2", "xz", "zip", "zstd", "none"]


@dataclass(frozen=True)
class FileTable(OwnTable):
    """Base of a table in one file, or in several of the same columns, of which each is a source of its rows."""

    written: ClassVar[bool] = False  # whether an empty text is a missing cell

    @abstractmethod
    def names(self, file: Path, content: bytes) -> Columns:
        """Names of the columns, and the reason for each that is no feature; InputError for a file that cannot serve."""

    @abstractmethod
    def table(self, file: Path, content: bytes) -> pa.Table:
        """The cells of a file."""

    def unpacked(self, file: Path, content: bytes) -> bytes:
        """The bytes of a file as its reader takes them."""
        del file
        return content

    @cached_property
    def content(self) -> Content:
        """The files, read once and their headers checked; InputError when one cannot serve."""
        from assay.data.content import joined

        contents = self._contents()
        headers = [self.names(each.path, each.file) for each in contents]
        names, aside = headers[0]
        self._check_names(names, aside)
        for each, (others, _) in zip(contents[1:], headers[1:], strict=True):
            if set(others) != set(names):
                odd = sorted(set(others) ^ set(names))[0]
                limit = f"column {odd!r} is not in it and in {contents[0].path.name} alike"
                raise InputError("dataset.path", each.path, limit, "all files need the same columns")
        return joined(contents)

    def unchecked(self) -> RawTable:
        """The cells of the first file, whatever columns the options name."""
        (content, *_) = self._contents()
        names, aside = self.names(content.path, content.file)
        table = self.table(content.path, content.file).select(names)
        return self._raw(table, self.written, content.provenance, None, aside=aside)

    def _contents(self) -> list[Content]:
        from assay.data.content import existing, read_content

        if self.path is None:
            limit = f"dataset={self.name} needs your data"
            raise InputError("dataset.path", "null", limit, "give dataset.path=... and dataset.target=...")
        contents = []
        for path in self.paths:
            if self.paths.count(path) > 1:
                raise InputError("dataset.path", path, "is named twice", "name each file once")
            file = existing(path)
            if file.is_dir():
                raise InputError("dataset.path", file, "is a folder", "dataset=huggingface reads a saved folder")
            read = read_content(file)
            contents.append(replace(read, files={file.name: self.unpacked(file, read.file)}))
        return contents

    def raw(self) -> RawTable:
        """The cells of the files, one after the other."""
        import numpy as np
        import pyarrow as pa

        places = self.content.places
        tables = [self.table(*place).replace_schema_metadata(None) for place in places]
        names, aside = self.names(*places[0])
        table = tables[0].select(names)
        files: Integers | None = None
        notes: tuple[str, ...] = ()
        if len(tables) > 1:
            table = pa.concat_tables([each.select(names) for each in tables], promote_options="permissive")
            files = np.repeat(np.arange(len(tables)), [len(each) for each in tables])
            ends = np.cumsum([len(each) for each in tables])
            spans = [
                f"{place.name} {end - len(each)} to {end - 1}"
                for (place, _), each, end in zip(places, tables, ends, strict=True)
            ]
            notes = (f"rows: {', '.join(spans)}",)
        return self._raw(table, self.written, self.content.provenance, files, aside=aside, notes=notes)


@dataclass(frozen=True)
class CsvTable(FileTable):
    """A csv file, compressed or not, with the names of the columns in its first line."""

    written: ClassVar[bool] = True

    name: str = "csv"
    encoding: Encoding = "utf-8"
    delimiter: Delimiter | None = None
    compression: Compression | None = None

    @property
    def layout(self) -> Layout:
        """The form of the file that the options state."""
        return Layout(self.encoding, self.delimiter)

    def names(self, file: Path, content: bytes) -> Columns:
        """Names of the columns; one without a name is no feature."""
        header: Header = read_header(file, content, self.layout)
        return header.names, unnamed(header.names)

    def table(self, file: Path, content: bytes) -> pa.Table:
        """Every cell as the text that stands in the file."""
        from assay.data.own.csv import read_cells

        return read_cells(file, content, self.layout)

    def unpacked(self, file: Path, content: bytes) -> bytes:
        """The text of a compressed file."""
        from assay.data.own.compression import unpacked

        return unpacked(file, content, self.compression)


@dataclass(frozen=True)
class JsonLinesTable(FileTable):
    """A file with a JSON object a line, compressed or not; a JSON list of objects as well."""

    name: str = "jsonl"
    compression: Compression | None = None

    def names(self, file: Path, content: bytes) -> Columns:
        """Names of the columns."""
        return list(self.table(file, content).column_names), {}

    def table(self, file: Path, content: bytes) -> pa.Table:
        """The values of the objects by their keys."""
        from assay.data.own.json_lines import read_objects

        return read_objects(file, content)

    def unpacked(self, file: Path, content: bytes) -> bytes:
        """The text of a compressed file."""
        from assay.data.own.compression import unpacked

        return unpacked(file, content, self.compression)


@dataclass(frozen=True)
class ParquetTable(FileTable):
    """A parquet file."""

    name: str = "parquet"

    def names(self, file: Path, content: bytes) -> Columns:
        """Names of the columns, the index of a pandas frame among them."""
        from assay.data.own.parquet import read_names

        return read_names(file, content)

    def table(self, file: Path, content: bytes) -> pa.Table:
        """The cells with the types that the file gives them."""
        from assay.data.own.parquet import read_table

        return read_table(file, content)


@dataclass(frozen=True)
class ArrowTable(FileTable):
    """An Arrow or feather file, or an Arrow stream."""

    name: str = "arrow"

    def names(self, file: Path, content: bytes) -> Columns:
        """Names of the columns, the index of a pandas frame among them."""
        from assay.data.own.arrow import read_names

        return read_names(file, content)

    def table(self, file: Path, content: bytes) -> pa.Table:
        """The cells with the types that the file gives them."""
        from assay.data.own.arrow import read_table

        return read_table(file, content)


@dataclass(frozen=True)
class ExcelTable(FileTable):
    """A sheet of an xlsx file, with the names of the columns in its first line."""

    written: ClassVar[bool] = True

    name: str = "excel"
    sheet: str | None = None

    def names(self, file: Path, content: bytes) -> Columns:
        """Names of the columns; one without a name is no feature."""
        names = list(self.table(file, content).column_names)
        return names, unnamed(names)

    def table(self, file: Path, content: bytes) -> pa.Table:
        """Every cell as text, numbers and dates as Python writes them."""
        from assay.data.own.excel import read_sheet

        return read_sheet(file, content, self.sheet)
