"""Numbers, dates and delimiters as people write them: whatever is written is read back, in every notation."""

from __future__ import annotations

import csv
import datetime
import io
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.data.own.cells import Cells
from assay.data.own.dates import Moments, moments_of
from assay.data.own.delimiters import delimiter_of
from assay.data.own.notation import Amounts, disagreement, notation_of

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False)
AFFIXES = [("$", ""), ("", " €"), ("CHF ", ""), ("", " kg"), ("", "%"), ("", "°C"), ("£", ""), ("", " m²"), ("", "")]
SEPARATORS = [(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u202f", ","), ("", ",")]


def as_written(amount: Decimal, group: str, decimal: str, prefix: str, suffix: str, minus: str) -> str:
    """An amount with two places, by hand: digits from the right in groups of three."""
    whole, places = f"{abs(amount):.2f}".split(".")
    groups = [whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)][::-1]
    sign = minus if amount < 0 else ""
    text = f"{prefix}{group.join(groups)}{decimal}{places}{suffix}"
    return f"({text})" if sign == "(" else f"{sign}{text}"


@given(
    st.lists(AMOUNTS, min_size=3, max_size=8),
    st.sampled_from(AFFIXES),
    st.sampled_from(SEPARATORS),
    st.sampled_from(["-", "\u2212", "("]),
)
def test_an_amount_is_read_as_it_was_written(
    amounts: list[Decimal], affix: tuple[str, str], separators: tuple[str, str], minus: str
) -> None:
    texts = [as_written(amount, *separators, *affix, minus) for amount in amounts]
    assert notation_of(texts) is not None
    cells = Cells("c", pa.array(texts, pa.string()), True)
    assert cells.is_number
    assert cells.numbers.tolist() == [float(amount) for amount in amounts]


FORMS = {
    "%Y-%m-%d": "year first",
    "%Y/%m/%d": "year first",
    "%d.%m.%Y": "day first",
    "%d %b %Y": "month in letters",
    "%B %d, %Y": "month in letters first",
}


@given(
    st.lists(st.dates(datetime.date(1970, 1, 1), datetime.date(2068, 12, 31)), min_size=1),
    st.sampled_from(sorted(FORMS)),
)
def test_a_date_is_its_days_since_1970(days: list[datetime.date], form: str) -> None:
    texts = [day.strftime(form) for day in days]
    read = moments_of(texts)
    assert read == Moments(FORMS[form])
    assert [read(text) for text in texts] == [day.toordinal() - datetime.date(1970, 1, 1).toordinal() for day in days]


@given(st.lists(st.dates(datetime.date(1970, 1, 1)), min_size=1), st.booleans())
def test_day_and_month_are_never_guessed(days: list[datetime.date], day_first: bool) -> None:
    texts = [day.strftime("%d/%m/%Y" if day_first else "%m/%d/%Y") for day in days]
    read = moments_of(texts)
    if read is not None:
        assert [read(text) for text in texts] == [(day - datetime.date(1970, 1, 1)).days for day in days]
    else:
        assert all(day.day <= 12 for day in days)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_a_duration_is_its_seconds(seconds: list[int]) -> None:
    clock = [f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}" for value in seconds]
    words = [f"{value // 3600}h {value // 60 % 60}m {value % 60}s" for value in seconds]
    iso = [f"PT{value // 3600}H{value // 60 % 60}M{value % 60}S" for value in seconds]
    for texts in (clock, words, iso):
        read = moments_of(texts)
        assert read is not None
        assert [read(text) for text in texts] == seconds


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1970-01-02", 1),
        ("1969-12-31", -1),
        ("2000-02-29", 11016),
        ("1970-01-01T06:00:00Z", 0.25),
        ("1970-01-01 00:00:00-06:00", 0.25),
        ("1970-01-01 6:00 PM", 0.75),
    ],
)
def test_dates_of_arithmetic(text: str, number: float) -> None:
    read = moments_of([text])
    assert read is not None
    assert read(text) == number


@pytest.mark.parametrize(
    "text", ["2021-02-29", "2020-13-01", "25:61", "1:2", "12.5.1", "2020-1", "P", "PT", "", "h", "0:60"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    read = moments_of([text])
    assert read is None or (text == "2020-1" and read.form == "year and month")


@pytest.mark.parametrize(
    "texts",
    [
        ["A34"],
        ["007"],
        ["10.0.3.1"],
        ["1,23,4"],
        ["0x1F"],
        ["12e"],
        ["--5"],
        ["(5"],
        ["5)"],
        ["$"],
        ["kg"],
        [""],
        ["1 2"],
    ],
)
def test_what_is_no_amount_is_none(texts: list[str]) -> None:
    assert notation_of(texts) is None


def test_numbers_that_do_not_agree_have_a_reason() -> None:
    assert notation_of(["5 kg", "5 g"]) is None
    assert disagreement(["5 kg", "5 g"]) == "its numbers are in several units (g and kg)"
    assert disagreement(["$5", "€5"]) == "its numbers are in several currencies ($ and €)"
    assert disagreement(["1.50", "2,25"]) == "its numbers have decimal points and decimal commas"
    assert disagreement(["1/2/2020", "2/3/2020"]) == "dates whose order of day and month is not clear"
    assert disagreement(["5", "2020-01-02"]) == "some cells are dates or durations and others numbers"
    assert disagreement(["1A", "2B", "3C", "4D", "5F"]) is None
    assert notation_of(["1,234"]) == Amounts(decimal=".")
    assert notation_of(["1,234"], ",") == Amounts(decimal=",")
    assert notation_of(["0,234", "1,234"]) == Amounts(decimal=",")


WORDS = st.text(st.sampled_from('ab ,;\t|"\n'), max_size=6)


@given(st.lists(st.lists(WORDS, min_size=2, max_size=4), min_size=2, max_size=9), st.sampled_from(",;\t|"))
def test_the_delimiter_is_the_one_outside_quotes(records: list[list[str]], delimiter: str) -> None:
    width = len(records[0])
    names = [f"c{place}" for place in range(width)]
    rows = [names, *([*record, *[""] * width][:width] for record in records)]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    assume(stream.getvalue())
    assert delimiter_of(stream.getvalue()) == delimiter
