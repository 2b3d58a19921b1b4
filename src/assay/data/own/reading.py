"""The reading of a column: decided from its cells, or some of them, and then one fixed map from a cell to its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from assay.data.own.notation import Notation, notation_of

if TYPE_CHECKING:
    import pyarrow as pa

# texts that stand for a missing number; among texts they may be classes, and are what they say
WORDS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "NaT", "None", "n/a", "nan", "null"),
)
NUMBER = r"^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf|infinity))\s*$"
BOOLEAN = r"^(?:True|TRUE|true|False|FALSE|false)$"
_CODE = r"^\s*[+-]?0\d"  # leading zeros say that a text is a name
_LONG = r"^\s*[+-]?[1-9]\d{15,}\s*$"  # whole numbers that a double may not distinguish
FEW_TEXTS = 50  # distinct texts tried first: most columns of texts are known by them to be no numbers


@dataclass(frozen=True)
class Conventions:
    """Ways of writing that a user states: texts that stand for a missing cell, and the decimal sign."""

    na: tuple[str, ...] = ()
    decimal: Literal[".", ","] | None = None


@dataclass(frozen=True)
class Reading:
    """The kind of value that the texts of a column stand for, and the notation of its numbers."""

    kind: Literal["number", "boolean", "text"]
    notation: Notation | None = None  # of a number; None: as Python writes it

    @property
    def words_are_missing(self) -> bool:
        """True where NA and its like are missing cells; among texts they are texts."""
        return self.kind != "text"


TEXT, BOOLEANS, PLAIN = Reading("text"), Reading("boolean"), Reading("number")


def reading_of(texts: pa.Array, decimal: str | None = None) -> Reading:
    """The reading of a column of texts (null: missing): numbers where all are, none with a leading zero or cut off."""
    import pyarrow.compute as pc

    distinct = texts.drop_null().unique()
    bare = distinct.filter(pc.invert(is_word(distinct)))
    if len(bare) == 0:
        return PLAIN if len(distinct) == 0 else TEXT
    if _all_match(bare, BOOLEAN):
        return BOOLEANS
    if _all_match(bare, NUMBER) and not (decimal == "," and _any_matches(bare, r"\.")):
        coded = _any_matches(bare, _CODE) or _is_cut_off(bare)
        return TEXT if coded else PLAIN
    notation = _notation(bare.to_pylist(), decimal)
    return TEXT if notation is None else Reading("number", notation)


def _notation(texts: Sequence[str], decimal: str | None) -> Notation | None:
    if notation_of(texts[:FEW_TEXTS], None) is None and notation_of(texts[:FEW_TEXTS], decimal) is None:
        # a few alone may leave open what all of them decide, as the order of day and month
        from assay.data.own.notation import is_written

        if not all(is_written(text) for text in texts[:FEW_TEXTS]):
            return None
    return notation_of(texts, decimal)


def is_word(texts: pa.Array) -> pa.Array:
    """True for each text that stands for a missing number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(texts, value_set=pa.array(WORDS, pa.string()))


def _is_cut_off(texts: pa.Array) -> bool:
    """True where a whole number has more digits than a double keeps."""
    import pyarrow.compute as pc

    long = texts.filter(pc.match_substring_regex(texts, _LONG)).to_pylist()
    return any(int(float(text)) != int(text) for text in long)


def plain_numbers(texts: pa.Array) -> pa.Array:
    """The texts as numbers, null for what is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fits = pc.match_substring_regex(texts, NUMBER)
    bare = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), pattern=r"^\+", replacement="")
    return pc.if_else(fits, bare, pa.scalar(None, pa.string())).cast(pa.float64())


def noted_numbers(texts: pa.Array, notation: Notation) -> pa.Array:
    """The texts as numbers of one notation, null for what is none."""
    import pyarrow as pa

    coded = texts.dictionary_encode()
    values: list[Any] = [notation(text) for text in coded.dictionary.to_pylist()]
    return pa.array(values, pa.float64()).take(coded.indices)


def _all_match(texts: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return pc.all(pc.match_substring_regex(texts, pattern)).as_py() is not False


def _any_matches(texts: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())
