"""From stored columns to a matrix of numbers, through a map fitted on public rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Column, Dataset
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Floats, Integers


def vocabularies(dataset: Dataset, public: Integers) -> dict[str, tuple[str, ...]]:
    """Categories of each categorical column: declared ones, else those that occur in the public rows, sorted."""
    categories = {}
    for column in dataset.columns:
        if column.type == "categorical":
            seen = _strings(dataset.take(column.name, public)).drop_null().unique().to_pylist()
            categories[column.name] = column.categories or tuple(sorted(seen))
    return categories


def encode(
    dataset: Dataset,
    rows: Integers,
    categories: dict[str, tuple[str, ...]],
    buckets: int,
    encoded: Mapping[str, tuple[Any, list[str]]] | None = None,
) -> tuple[Floats, list[str]]:
    """Matrix [rows, d] and the names of its columns.

    Numbers as they are; a categorical column as one indicator per category (none for a category not listed); images
    flattened to [0, 1]; text as counts of words hashed into `buckets` (stateless, so nothing is fitted). A column of
    `encoded` as the features that a frozen network makes of it: (of all rows of the dataset, their names).
    """
    import numpy as np

    blocks: list[Floats] = []
    names: list[str] = []
    for column in dataset.columns:
        if encoded and column.name in encoded:
            table, of_table = encoded[column.name]
            blocks.append(table[rows])
            names.extend(of_table)
            continue
        values = dataset.take(column.name, rows)
        if column.type == "numeric":
            blocks.append(values.to_numpy(zero_copy_only=False)[:, None])
            names.append(column.name)
        elif column.type == "categorical":
            blocks.append(_indicators(values, categories[column.name]))
            names.extend(f"{column.name}={category}" for category in categories[column.name])
        elif column.type == "image":
            pixels = values.flatten().to_numpy(zero_copy_only=False).reshape(len(rows), int(np.prod(column.shape)))
            blocks.append(pixels / 255.0)
            names.extend(_pixel_names(column))
        else:
            blocks.append(hashed_counts(values.to_pylist(), buckets))
            names.extend(f"{column.name}#{bucket}" for bucket in range(buckets))
    return np.concatenate(blocks, axis=1, dtype=np.float64), names


def _strings(values: pa.Array) -> pa.Array:
    """Categories as strings; the numbers of a column that a user reads as categorical lose a trailing ".0"."""
    import pyarrow as pa

    return values.cast(pa.string())


def _indicators(values: pa.Array, categories: tuple[str, ...]) -> Floats:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    index = (
        pc.index_in(_strings(values), pa.array(categories, pa.string())).fill_null(-1).to_numpy(zero_copy_only=False)
    )
    return np.asarray(index[:, None] == np.arange(len(categories)), dtype=np.float64)


def _pixel_names(column: Column) -> list[str]:
    import itertools

    places = itertools.product(*(range(side) for side in column.shape))
    return [f"{column.name}[{','.join(str(index) for index in place)}]" for place in places]


def hashed_counts(texts: list[str], buckets: int) -> Floats:
    """Counts of lower-cased words hashed (MurmurHash3) into buckets: [texts, buckets]."""
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer

    if buckets < 1:
        raise InputError("dataset.preprocess.buckets", buckets, "must be >= 1", "1024 is usual")
    if not texts:
        return np.zeros((0, buckets))
    vectorizer = HashingVectorizer(n_features=buckets, alternate_sign=False, norm=None)
    return np.asarray(vectorizer.transform(texts).toarray(), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class AffineMap:
    """x -> ((x - centre) / scale) @ directions; directions None is the identity."""

    centre: Floats
    scale: Floats
    directions: Floats | None

    def __call__(self, features: Floats) -> Floats:
        """Features [rows, d] mapped to [rows, d or components]."""
        moved = (features - self.centre) / self.scale
        return moved if self.directions is None else moved @ self.directions


def pixel_channels(dataset: Dataset) -> Integers | None:
    """The channel of each pixel [d] when the dataset is one image a row, else None."""
    import numpy as np

    if len(dataset.columns) != 1 or dataset.columns[0].type != "image":
        return None
    shape = dataset.columns[0].shape
    channels = shape[2] if len(shape) == 3 else 1
    return np.arange(int(np.prod(shape)), dtype=np.int64) % channels


def fit_map(
    public: Floats,
    standardize: bool,
    components: int | None,
    norm: float | None = None,
    groups: Integers | None = None,
) -> AffineMap:
    """Standardisation, principal components and overall scale of the public rows [rows, d].

    Columns of one group [d] share mean and scale (the pixels of a channel do: a pixel by itself is constant on most
    rows); without groups each column has its own. A column that is constant among the public rows is centred and left
    unscaled. The components are the leading eigenvectors of the public covariance, each with its largest loading
    positive; they are not rescaled.
    `norm` is the root-mean-square norm that the public rows end up with (None: whatever it is).
    """
    import numpy as np

    width = public.shape[1]
    centre, scale = np.zeros(width), np.ones(width)
    if standardize:
        centre, deviation = _moments(public, groups)
        scale = np.where(deviation > 1e-12 * np.maximum(1.0, np.abs(centre)), deviation, 1.0)
    if components is not None:
        centre = public.mean(axis=0)
    if components is None:
        return _with_norm(AffineMap(centre, scale, None), public, norm)
    most = min(width, len(public) - 1)
    if not 1 <= components <= most:
        limit = f"must be in 1..{most} (columns, and rows of valid less one)"
        raise InputError("dataset.preprocess.components", components, limit, "null keeps all columns")
    moved = (public - centre) / scale
    _, vectors = np.linalg.eigh(moved.T @ moved / len(public))
    directions = vectors[:, ::-1][:, :components]
    leading = np.abs(directions).argmax(axis=0)
    mapping = AffineMap(centre, scale, directions * np.sign(directions[leading, np.arange(components)]))
    return _with_norm(mapping, public, norm)


def _moments(public: Floats, groups: Integers | None) -> tuple[Floats, Floats]:
    """Mean and standard deviation [d] of each column, or of the group it is in."""
    import numpy as np

    if groups is None:
        return public.mean(axis=0), public.std(axis=0)
    sizes = np.bincount(groups)
    mean = (np.bincount(groups, public.mean(axis=0)) / sizes)[groups]
    variance = (np.bincount(groups, ((public - mean) ** 2).mean(axis=0)) / sizes)[groups]
    return mean, np.sqrt(variance)


def _with_norm(mapping: AffineMap, public: Floats, norm: float | None) -> AffineMap:
    if norm is None:
        return mapping
    if not norm > 0:
        raise InputError("dataset.preprocess.norm", norm, "must be > 0", "null leaves the rows as long as they are")
    length = float((mapping(public) ** 2).sum(axis=1).mean() ** 0.5)
    return replace(mapping, scale=mapping.scale * (length / norm)) if length > 0 else mapping
