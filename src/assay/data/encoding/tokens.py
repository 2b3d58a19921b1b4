"""Texts as sequences of word ids, for a network that embeds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assay.data.dataset import Dataset
from assay.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.arrays import Integers

PADDING = 0
_WORD = re.compile(r"\w+|[^\w\s]")


def token_ids(texts: Sequence[str], length: int, buckets: int) -> Integers:
    """Ids of the first `length` words and signs of each text [texts, length]; after its end, `PADDING`.

    Words in lower case are hashed (MurmurHash3) to 1, ..., `buckets`: stateless, so that nothing is fitted to any row.
    """
    import numpy as np
    from sklearn.utils import murmurhash3_32

    ids = np.full((len(texts), length), PADDING, dtype=np.int64)
    for row, text in enumerate(texts):
        words = _WORD.findall(text.lower())[:length]
        ids[row, : len(words)] = [1 + murmurhash3_32(word, positive=True) % buckets for word in words]
    return ids


def encode_tokens(dataset: Dataset, rows: Integers, length: int, buckets: int) -> tuple[Integers, list[str]]:
    """Ids [rows, columns * length], column after column, and the names of their positions.

    Raises InputError for a dataset with a column that is no text.
    """
    import numpy as np

    for column in dataset.columns:
        if column.type != "text":
            limit = f"reads texts, and the column {column.name} is of type {column.type}"
            raise InputError(
                "dataset.preprocess.tokens", length, limit, "leave it out by dataset.features=[...], or null"
            )
    blocks = [token_ids(dataset.take(column.name, rows).to_pylist(), length, buckets) for column in dataset.columns]
    names = [f"{column.name}[{place}]" for column in dataset.columns for place in range(length)]
    return np.concatenate(blocks, axis=1), names
