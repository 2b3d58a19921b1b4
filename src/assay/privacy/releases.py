"""Kinds of private releases."""

from __future__ import annotations

from enum import StrEnum


class Releases(StrEnum):
    """Quantity that a privacy option releases under noise; valuators, tasks and selectors name those that they account for.

    ``row_gradient``: a clipped gradient of a row in each evaluation. ``row_vector``: one gradient of a row, once.
    ``row_number``: one number of a row, once. ``row_numbers``: a few numbers of a row, once. ``batch_sum``: a sum of clipped
    gradients over a batch. ``class_sum``: a sum over the rows of a class. ``table``: statistics of the whole table.
    """

    ROW_GRADIENT = "row_gradient"
    ROW_VECTOR = "row_vector"
    ROW_NUMBER = "row_number"
    ROW_NUMBERS = "row_numbers"
    BATCH_SUM = "batch_sum"
    CLASS_SUM = "class_sum"
    TABLE = "table"
