"""A table against its schema: cells that the schema does not allow."""

from __future__ import annotations

from collections.abc import Mapping

from assay.data.own.cells import Cells, number_text
from assay.data.own.classes import class_index, is_boolean
from assay.data.own.schema import KEY, Schema
from assay.errors import InputError


def check_conformity(columns: Mapping[str, Cells], types: Mapping[str, str], target: str, schema: Schema) -> None:
    """Raise InputError for a category that the schema does not list, or a number out of its range.

    A missing cell is no concern of a schema.
    """
    import numpy as np

    for name in [*types, target]:
        cells, described = columns[name], schema.columns[name]
        if described.type == "categorical" and described.categories is not None:
            categories = described.categories
            wrong = np.flatnonzero((class_index(cells, categories, is_boolean(categories)) < 0) & cells.present)
            if len(wrong):
                text = cells.texts[int(wrong[0])].as_py()
                limit = f"columns.{name}.categories has no {text!r}, which stands in the table"
                raise InputError(KEY, schema_name(categories), limit, "add it, or mend the cell")
        elif described.type == "numeric" and described.range is not None:
            low, high = described.range
            outside = (cells.numbers < low) | (cells.numbers > high)
            if outside.any():
                text = number_text(cells.numbers[outside][0])
                limit = f"columns.{name}.range does not have {text}, which stands in the table"
                raise InputError(
                    KEY, schema_name([number_text(low), number_text(high)]), limit, "widen it, or mend the cell"
                )


def schema_name(values: list[str]) -> str:
    """The start of a list of values, to show where in the schema the fault lies."""
    return "[" + ",".join(values[:3]) + (",..." if len(values) > 3 else "") + "]"
