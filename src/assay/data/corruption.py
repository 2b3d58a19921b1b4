"""Known damage to training rows, so that finding it can be scored."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from assay.arrays import Flags, Floats, Integers
    from assay.data.dataset import Dataset
    from assay.data.options import Corruption


def chosen_rows(key: str, share: float, rows: int, generator: np.random.Generator) -> Integers:
    """A random choice of round(share * rows) positions, in random order; InputError unless share is in [0, 1]."""
    if not 0 <= share <= 1:
        raise InputError(key, share, "must be in [0, 1]", "it is a share of the training rows")
    return generator.permutation(rows)[: round(share * rows)]


def rows_of_sources(
    source: Integers | None, chosen: float | None, share: float, rows: int, generator: np.random.Generator
) -> Integers:
    """Rows to damage where only some sources are bad: a share of the rows of each of round(chosen * sources) sources.

    With chosen=None a share of all rows. Raises InputError for a choice among sources where rows have none.
    """
    import numpy as np

    if chosen is None:
        return chosen_rows("dataset.corruption.labels", share, rows, generator)
    if source is None:
        remedy = "add dataset.sources.count=20, or leave it out"
        raise InputError("dataset.corruption.sources", chosen, "is a share of the sources and there are none", remedy)
    names = np.unique(source)
    bad = names[np.sort(chosen_rows("dataset.corruption.sources", chosen, len(names), generator))]
    parts = [np.flatnonzero(source == name) for name in bad]
    picked = [part[chosen_rows("dataset.corruption.labels", share, len(part), generator)] for part in parts]
    return np.concatenate(picked) if picked else np.empty(0, dtype=np.int64)


def flip_labels(labels: Integers, classes: int, rows: Integers, generator: np.random.Generator) -> Integers:
    """Labels [n] in which each of the chosen rows has another class, uniform among the others."""
    flipped = labels.copy()
    flipped[rows] = (labels[rows] + generator.integers(1, classes, size=len(rows))) % classes
    return flipped


def permute_targets(targets: Floats, rows: Integers, generator: np.random.Generator) -> Floats:
    """Targets [n] permuted among the chosen rows along one random cycle, so that none keeps its own.

    Where rows share a value, places are exchanged until every chosen row's value differs from its own, as far as one
    exists: when more than half of the chosen rows share one value, some of them keep it.
    """
    permuted = targets.copy()
    if len(rows) == 1:
        raise InputError("dataset.corruption.labels", "1 row", "a permutation needs two rows", "raise the share")
    cycle = generator.permutation(rows)
    permuted[cycle] = targets[[*cycle[1:], *cycle[:1]]]
    for row in cycle:
        if permuted[row] == targets[row]:
            # Partners with which an exchange leaves both rows with a value that is not their own.
            fits = (permuted[cycle] != targets[row]) & (targets[cycle] != permuted[row])
            partners = cycle[fits]
            if len(partners):
                partner = partners[generator.integers(len(partners))]
                permuted[[row, partner]] = permuted[[partner, row]]
    return permuted


def add_noise(features: Floats, rows: Integers, scale: float, generator: np.random.Generator) -> Floats:
    """Features [n, d] with Gaussian noise on the chosen rows; its standard deviation is scale times the column's."""
    if scale < 0:
        raise InputError("dataset.corruption.scale", scale, "must be >= 0", "it is in standard deviations of a column")
    noised = features.copy()
    noised[rows] += generator.standard_normal((len(rows), features.shape[1])) * (scale * features.std(axis=0))
    return noised


def corrupt(
    features: Floats,
    target: Floats | Integers,
    *,
    kind: str,
    classes: int,
    labels: float,
    noise: float,
    scale: float,
    generator: np.random.Generator,
    source: Integers | None = None,
    sources: float | None = None,
) -> tuple[Floats, Floats | Integers, Flags]:
    """Features, target and the mark `clean` after damage to a share `labels` of targets and `noise` of feature rows.

    The two choices of rows are independent: changing one share leaves the other choice as it was. With a share `sources`
    the wrong targets are in that share of the sources only, `labels` of the rows of each.
    """
    import numpy as np

    for_labels, for_noise = (np.random.default_rng(seed) for seed in generator.integers(2**63, size=2))
    wrong = rows_of_sources(source, sources, labels, len(target), for_labels)
    noisy = chosen_rows("dataset.corruption.features", noise, len(target), for_noise)
    damaged = target
    if len(wrong) and kind == "classification":
        damaged = flip_labels(np.asarray(target, dtype=np.int64), classes, wrong, for_labels)
    elif len(wrong):
        damaged = permute_targets(np.asarray(target, dtype=np.float64), wrong, for_labels)
    unchanged = int((damaged[wrong] == target[wrong]).sum())
    if unchanged:
        warnings.warn(f"{unchanged} of {len(wrong)} rows keep their target: too many share one value", stacklevel=2)
    clean = damaged == target
    if len(noisy):
        features = add_noise(features, noisy, scale, for_noise)
        clean[noisy] &= scale == 0
    return features, damaged, clean


def damaged(
    features: Floats,
    target: Floats | Integers,
    dataset: Dataset,
    options: Corruption,
    generator: np.random.Generator,
    source: Integers | None,
) -> tuple[Floats, Floats | Integers, Flags]:
    """Train features [rows, d] and targets [rows] of a dataset after the damage that options ask for, and the mark `clean`."""
    return corrupt(
        features,
        target,
        kind=dataset.kind,
        classes=len(dataset.classes),
        labels=options.labels,
        noise=options.features,
        scale=options.scale,
        generator=generator,
        source=source,
        sources=options.sources,
    )
