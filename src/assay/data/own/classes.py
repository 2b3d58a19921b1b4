"""Classes of a target: their names, and the class of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.own.cells import Cells, number_text
from assay.data.own.inference import is_plain_number

if TYPE_CHECKING:
    from assay.arrays import Integers

BOOLEANS = frozenset({"True", "False"})


def is_boolean(categories: list[str]) -> bool:
    """True where categories are True and False, which may be written in several ways."""
    return BOOLEANS.issuperset(categories)


def class_names(cells: Cells) -> list[str]:
    """Classes in sorted order, numbers by size."""
    import numpy as np

    if cells.is_number and cells.reading.notation is None:
        return [number_text(number) for number in np.unique(cells.numbers[cells.present])]
    if cells.is_number:
        numbers = dict(zip(cells.texts.to_pylist(), cells.numbers.tolist(), strict=True))
        return sorted((text for text in numbers if text is not None), key=lambda text: (numbers[text], text))
    return sorted(cells.labels(cells.is_boolean).drop_null().unique().to_pylist())


def class_index(cells: Cells, classes: list[str], boolean: bool | None = None) -> Integers:
    """The index of each row's class [rows], -1 where it is none of them; numbers are compared as numbers.

    `boolean` says whether the classes are True and False written in any way; None: as the cells say.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    labels = cells.labels(cells.is_boolean if boolean is None else boolean)
    index = pc.index_in(labels, value_set=pa.array(classes, pa.string())).fill_null(-1)
    places = np.asarray(index.to_numpy(zero_copy_only=False), dtype=np.int64)
    unknown = np.flatnonzero(places < 0)
    numbers = np.array([_as_number(name) for name in classes])
    order = np.argsort(numbers, kind="stable")  # NaN, for what is no number, comes last
    wanted = cells.numbers[unknown]
    place = np.searchsorted(numbers[order], wanted).clip(max=len(classes) - 1)
    equal = numbers[order][place] == wanted
    places[unknown[equal]] = order[place[equal]]
    return places


def _as_number(text: str) -> float:
    return float(text) if is_plain_number(text) else float("nan")
