"""Small archives of the same form as the real ones, and the settings of a plain `prepare`."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from assay.data.loaders.synthetic import Drawn, DrawnClasses, SyntheticClassification, SyntheticRegression
from assay.data.options import Corruption, DatasetOptions, Owners, Preprocess, Split
from assay.data.own.cells import Cells
from assay.data.own.files import ArrowTable, CsvTable, ExcelTable, JsonLinesTable, ParquetTable
from assay.data.own.hub_options import HuggingFaceTable
from assay.data.own.options import OwnTable
from assay.data.own.storage import RawTable
from assay.data.provenance import Provenance
from assay.data.sources.catalogue import catalogue, entry_of
from assay.data.sources.options import NamedDataset

Files = Mapping[str, bytes]
FROM = Provenance("local path", "own.csv", "0")


def streams(seed: int) -> Callable[[str], np.random.Generator]:
    """Independent generators by purpose, as a run has them."""
    return lambda purpose: np.random.default_rng([seed, zlib.crc32(purpose.encode())])


KNOWN = catalogue()  # a test may change an entry of it
OWN: dict[str, type[OwnTable]] = {
    **{"csv": CsvTable, "parquet": ParquetTable, "huggingface": HuggingFaceTable},
    **{"arrow": ArrowTable, "jsonl": JsonLinesTable, "excel": ExcelTable},
}


def settings(data_dir: Path, name: str = "csv", seed: int = 0, **changes: Any) -> dict[str, Any]:
    """Arguments of `prepare`; a change to a mapping is one of some of its keys."""
    blind = changes.pop("blind", False)
    return {
        "options": options(name, **changes),
        "data_dir": data_dir,
        "generator": streams(seed),
        "blind": blind,
    }


def options(name: str = "csv", **changes: Any) -> DatasetOptions:
    """Options of a dataset with few hash buckets; nothing is downloaded unless a change says so."""
    nested: dict[str, type] = {"split": Split, "corruption": Corruption, "sources": Owners, "preprocess": Preprocess}
    nested["synthetic"] = DrawnClasses if name.endswith("classification") else Drawn
    changes["preprocess"] = {"buckets": 16, **changes.get("preprocess", {})}
    given = {key: nested[key](**value) if key in nested else value for key, value in changes.items()}
    if name in OWN:
        return OWN[name](name=name, **given)
    if name.startswith("synthetic"):
        return (SyntheticClassification if name.endswith("classification") else SyntheticRegression)(**given)
    source = entry_of(name, KNOWN).source
    return NamedDataset(name=name, source=source, **{"download": False, **given})


def columns_of(frame: pd.DataFrame) -> dict[str, Cells]:
    """The columns of a table with the types that pandas gives them."""
    return RawTable(pa.Table.from_pandas(frame, preserve_index=False), False, FROM).columns()


def write_wheel(path: Path, files: Files) -> Path:
    """A zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_bytes(files: Files, mode: str = "w:gz", prefix: str = "") -> bytes:
    """A tarball in memory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def ar_bytes(files: Files) -> bytes:
    """An `ar` archive, written from its definition: magic, 60-byte heads, bodies padded to even length."""
    out = b"!<arch>\n"
    for name, content in files.items():
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        assert len(head) == 60
        out += head + content + b"\n" * (len(content) % 2)
    return out


def write_deb(path: Path, files: Files, compression: str = "xz") -> Path:
    """A Debian package: debian-binary, control.tar and data.tar inside an `ar` archive."""
    if compression == "zst":
        import pyarrow as pa

        data = pa.compress(tar_bytes(files, "w", "./"), codec="zstd", asbytes=True)
    else:
        data = tar_bytes(files, f"w:{compression}", "./")
    parts = {"debian-binary": b"2.0\n", "control.tar.xz": tar_bytes({"control": b"Package: x"}, "w:xz")}
    path.write_bytes(ar_bytes({**parts, f"data.tar.{compression}": data}))
    return path
