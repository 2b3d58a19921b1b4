"""Columns as files of the world have them, each with its truth written by hand: `b` of 60 rows beside a number and a class."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ROWS = range(60)


@dataclass(frozen=True)
class Odd:
    """Cells, options, and the truth: a type with numbers of the first rows or categories, a reason, or words of a refusal."""

    cells: list[str]
    numbers: tuple[float, ...] | None = None  # of the first rows
    categories: int | None = None  # how many
    text: bool = False
    left_out: str | None = None
    refused: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    said: str | None = None  # of what is said on the terminal

    @property
    def given(self) -> dict[str, Any]:
        """The options by their name."""
        return dict(self.options)


def each(write: Callable[[int], str]) -> list[str]:
    """A cell for each row."""
    return [write(n) for n in ROWS]


def turns(*cells: str) -> list[str]:
    """Cells by turns."""
    return each(lambda n: cells[n % len(cells)])


def holes(write: Callable[[int], str], text: str, every: int = 3) -> list[str]:
    """A cell for each row, another text in every third."""
    return each(lambda n: text if n % every == 0 else write(n))


def written(cells: list[str]) -> str:
    """A csv file of a number, the odd cells and two classes."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["a", "b", "y"])
    writer.writerows((f"{n * 37 % 101 / 8}", cells[n], ("no", "yes")[n % 2]) for n in ROWS)
    return stream.getvalue()


DROP = ("missing", "drop")
COLUMNS: dict[str, Odd] = {
    # plain numbers
    "whole": Odd(each(lambda n: str(n * n % 41)), (0, 1, 4)),
    "decimals": Odd(each(lambda n: f"{n / 8}"), (0, 0.125, 0.25)),
    "signs": Odd(each(lambda n: f"{n % 41 - 20:+}"), (-20, -19, -18)),
    "powers of ten": Odd(each(lambda n: f"{n}e-3"), (0, 0.001, 0.002)),
    "no digit before the point": Odd(each(lambda n: f".{n:02}5"), (0.005, 0.015)),
    "point at the end": Odd(each(lambda n: f"{n * 7 % 50}."), (0, 7, 14)),
    "blanks around": Odd(each(lambda n: f" {n / 4} "), (0, 0.25)),
    "whole and decimal": Odd(turns("1", "1.0", "2.50"), (1, 1, 2.5)),
    "booleans": Odd(turns("true", "FALSE"), categories=2),
    "booleans with NA": Odd(turns("True", "False", "NA"), categories=2, options=(DROP,)),
    "zero and one": Odd(turns("0", "1", "1"), (0, 1, 1)),
    "infinite": Odd(holes(str, "inf", 20), refused="column 'b' has 3 infinite values"),
    # codes
    "leading zeros": Odd(turns("02116", "2116", "10001"), categories=3),
    "one leading zero": Odd(turns("01", "1", "2", "3"), categories=4),
    "short codes": Odd(turns("007", "008"), categories=2),
    "seventeen digits": Odd(turns("12345678901234567", "12345678901234568"), categories=2),
    "twenty digits": Odd(turns("12345678901234567890", "12345678901234567891", "5"), categories=3),
    "seventeen digits on each row": Odd(each(lambda n: f"{12345678901234567 + n}"), left_out="identifies rows"),
    "serial numbers": Odd(each(lambda n: f"AB-{n:04}"), left_out="identifies rows"),
    "row numbers": Odd(each(lambda n: str(n + 1)), left_out="identifies rows"),
    "article numbers": Odd(turns("A34", "B7", "C12"), categories=3),
    "seats": Odd(turns("12A", "3C", "7F", "8D", "1B"), categories=5),
    "versions": Odd(turns("1.2.3", "1.10.0"), categories=2),
    "telephones": Odd(each(lambda n: f"555-{1000 + n * 7}"), left_out="identifies rows"),
    "addresses in a net": Odd(each(lambda n: f"10.0.{n}.1"), left_out="identifies rows"),
    "grades": Odd(turns("A+", "A", "B-"), categories=3),
    "ranges": Odd(turns("18-24", "25-34", "35+"), categories=3),
    # numbers as people write them
    "dollars": Odd(each(lambda n: f"${n},{100 + n}.50" if n else "$0.25"), (0.25, 1101.5, 2102.5), said="$0.25"),
    "euros behind": Odd(each(lambda n: f"{n}.{100 + n},50 €" if n else "0,25 €"), (0.25, 1101.5)),
    "pounds": Odd(each(lambda n: f"£{n}"), (0, 1, 2)),
    "francs": Odd(each(lambda n: f"CHF {n}'000.50" if n else "CHF 0.50"), (0.5, 1000.5)),
    "dollars and minus": Odd(each(lambda n: f"-${n}"), (0, -1, -2)),
    "thousands by comma": Odd(each(lambda n: f"{n + 1},{n:03},500"), (1000500, 2001500)),
    "thousands by blank": Odd(each(lambda n: f"{n + 1} {n:03}"), (1000, 2001)),
    "thousands by narrow blank": Odd(each(lambda n: f"{n + 1}\u202f{n:03}"), (1000, 2001)),
    "thousands by apostrophe": Odd(each(lambda n: f"{n + 1}'{n:03}"), (1000, 2001)),
    "decimal comma": Odd(each(lambda n: f"{n},5"), (0.5, 1.5)),
    "decimal comma and points": Odd(each(lambda n: f"{n + 1}.{n:03},75"), (1000.75, 2001.75)),
    "decimal comma as stated": Odd(each(lambda n: f"{n},{125}"), (0.125, 1.125), options=(("decimal", "comma"),)),
    "thousands by point as stated": Odd(each(lambda n: f"{n + 1}.000"), (1000, 2000), options=(("decimal", "comma"),)),
    "per cent": Odd(each(lambda n: f"{n} %"), (0, 1, 2)),
    "per cent without blank": Odd(each(lambda n: f"{n / 2}%"), (0, 0.5)),
    "parentheses": Odd(each(lambda n: f"({n})" if n % 2 else f"{n}"), (0, -1, 2)),
    "dollars in parentheses": Odd(each(lambda n: f"(${n},000.50)" if n % 2 else f"${n}"), (0, -1000.5, 2)),
    "true minus": Odd(each(lambda n: f"\u2212{n}.5"), (-0.5, -1.5)),
    "kilograms": Odd(each(lambda n: f"{n * 3} kg"), (0, 3, 6), said="'0 kg' is 0"),
    "centimetres": Odd(each(lambda n: f"{n}.5cm"), (0.5, 1.5)),
    "kilometres an hour": Odd(each(lambda n: f"{n} km/h"), (0, 1)),
    "degrees": Odd(each(lambda n: f"{n - 20} °C"), (-20, -19)),
    "square metres": Odd(each(lambda n: f"{n} m²"), (0, 1)),
    "minutes": Odd(each(lambda n: f"{n} min"), (0, 1)),
    "two doses": Odd(turns("10 mg", "20 mg"), (10, 20)),
    "kilograms and grams": Odd(
        each(lambda n: f"{n} {'kg' if n % 2 else 'g'}"), left_out="its numbers are in several units (g and kg)"
    ),
    "unit on some": Odd(
        each(lambda n: f"{n} kg" if n % 2 else f"{n}"), left_out="its numbers are in several units (kg and none)"
    ),
    "two currencies": Odd(
        each(lambda n: f"{'$' if n % 2 else '€'}{n}"), left_out="its numbers are in several currencies ($ and €)"
    ),
    "points and commas": Odd(
        each(lambda n: f"{n}.50" if n % 2 else f"{n},25"), left_out="its numbers have decimal points and decimal commas"
    ),
    # dates and durations
    "dates": Odd(each(lambda n: f"1970-{n % 12 + 1:02}-{n % 28 + 1:02}"), (0, 32, 61)),
    "dates with slashes": Odd(each(lambda n: f"1970/01/{n % 28 + 1:02}"), (0, 1)),
    "times of dates": Odd(each(lambda n: f"1970-01-{n % 28 + 1:02}T12:00:00Z"), (0.5, 1.5)),
    "time zones": Odd(each(lambda n: f"1970-01-{n % 28 + 1:02} 02:00:00+02:00"), (0, 1)),
    "fractions of seconds": Odd(each(lambda n: f"1970-01-01 00:00:{n:02}.500"), (0.5 / 86400, 1.5 / 86400)),
    "German dates": Odd(each(lambda n: f"{n % 28 + 1}.1.1970"), (0, 1)),
    "day first by its days": Odd(each(lambda n: f"{n % 28 + 1:02}/01/1970"), (0, 1)),
    "month first by its days": Odd(each(lambda n: f"01/{n % 28 + 1:02}/1970"), (0, 1)),
    "day and month unclear": Odd(
        each(lambda n: f"{n % 12 + 1}/{n // 5 % 12 + 1}/{1970 + n}"),
        left_out="dates whose order of day and month is not clear",
    ),
    "months in letters": Odd(each(lambda n: f"{n % 28 + 1} Jan 1970"), (0, 1)),
    "months first in letters": Odd(each(lambda n: f"January {n % 28 + 1}, 1970"), (0, 1)),
    "years of two digits": Odd(each(lambda n: f"{n % 28 + 1:02}.01.70"), (0, 1)),
    "no such day": Odd(each(lambda n: f"2021-02-{n % 31 + 1:02}"), refused="e.g. '2021-02-29'"),
    "years and months": Odd(each(lambda n: f"{1970 + n // 12}-{n % 12 + 1:02}"), (0, 31)),
    "months in letters and years": Odd(each(lambda n: f"Jan-{1970 + n // 2}"), (0, 0, 365)),
    "afternoons": Odd(each(lambda n: f"{n % 12 + 1}:30 {'PM' if n % 2 else 'AM'}"), (5400, 52200)),
    "minus behind": Odd(each(lambda n: f"{n}-"), (0, -1, -2)),
    "lakhs": Odd(each(lambda n: f"{n % 9 + 1},00,{n:03}"), (100000, 200001)),
    "roman numbers": Odd(turns("I", "II", "III"), categories=3),
    "fractions": Odd(each(lambda n: f"{n}/7"), left_out="identifies rows"),
    "censored": Odd(holes(lambda n: f"{n}.5", "<0.1", 6), refused="dataset.na=['<0.1']"),
    "years": Odd(each(lambda n: str(1960 + n * 7 % 50)), (1960, 1967)),
    "times of day": Odd(each(lambda n: f"{n % 24}:30"), (1800, 5400)),
    "clock with seconds": Odd(each(lambda n: f"00:{n:02}:01"), (1, 61)),
    "days and clock": Odd(each(lambda n: f"{n} days 00:00:02"), (2, 86402)),
    "hours and minutes": Odd(each(lambda n: f"{n}h 30m"), (1800, 5400)),
    "ISO durations": Odd(each(lambda n: f"PT{n}H1M"), (60, 3660)),
    # missing cells
    "empty": Odd(holes(lambda n: f"{n}.5", ""), refused="column 'b' has 20 missing (NaN) values"),
    "empty, dropped": Odd(holes(lambda n: f"{n}.5", ""), (1.5, 2.5), options=(DROP,)),
    "NA among numbers": Odd(holes(lambda n: f"{n}.5", "NA"), (1.5, 2.5), options=(DROP,)),
    "nan among numbers": Odd(holes(lambda n: f"{n}.5", "nan"), refused="column 'b' has 20 missing"),
    "#N/A among dollars": Odd(holes(lambda n: f"${n}", "#N/A"), (1, 2), options=(DROP,)),
    "None among dates": Odd(holes(lambda n: f"1970-01-{n % 28 + 1:02}", "None"), (1, 2), options=(DROP,)),
    "whole numbers and one missing": Odd(
        ["" if n == 7 else str(2000 + n % 9) for n in ROWS], (2000, 2001), options=(DROP,)
    ),
    "codes and one missing": Odd(["" if n == 7 else f"0{n % 5}" for n in ROWS], categories=5, options=(DROP,)),
    "question marks": Odd(holes(lambda n: f"{n}.5", "?"), refused="dataset.na=[?]"),
    "question marks as stated": Odd(holes(lambda n: f"{n}.5", "?"), (1.5, 2.5), options=(("na", ["?"]), DROP)),
    "unknown": Odd(holes(lambda n: f"{n}.5", "unknown"), refused="dataset.na=[unknown]"),
    "unknown in other letters": Odd(
        holes(lambda n: f"{n}.5", "Unknown "), (1.5, 2.5), options=(("na", ["unknown"]), DROP)
    ),
    "-999 as stated": Odd(holes(lambda n: f"{n}.5", "-999.0"), (1.5, 2.5), options=(("na", ["-999"]), DROP)),
    "a dash": Odd(holes(lambda n: f"{n} kg", "-"), refused="dataset.na=['-']"),
    "not applicable": Odd(holes(lambda n: f"${n}", "not applicable", 5), refused="dataset.na=['not applicable']"),
    "several marks": Odd(
        each(lambda n: ("?", "-", "x")[n % 3] if n % 4 == 0 else f"{n}.5"), refused="3 different texts"
    ),
    "None as a category": Odd(turns("None", "low", "high"), categories=3, said="dataset.na=[None] reads it as missing"),
    "NA as a category": Odd(turns("NA", "EU", "AS"), categories=3, said="'NA' in 20 of 60 cells"),
    "null as stated": Odd(turns("null", "low", "high"), categories=2, options=(("na", [None]), DROP)),
    "nothing at all": Odd(each(lambda n: ""), left_out="no value"),
    "NA alone": Odd(each(lambda n: "NA"), left_out="one value only"),
    # categories and texts
    "constant": Odd(each(lambda n: "7"), left_out="one value only"),
    "case and blanks": Odd(
        turns("A34", "a34", "A34 ", "B"), categories=4, said="'A34', 'A34 ', 'a34' differ in case or blanks alone"
    ),
    "accents": Odd(turns("é", "e", "ß"), categories=3),
    "quotes": Odd(turns('say "x"', "it's"), categories=2),
    "delimiters within": Odd(turns("a,b", "c;d", "e\tf"), categories=3),
    "line breaks within": Odd(turns("a\nb", "c"), categories=2),
    "sentences": Odd(each(lambda n: f"there were {n % 9} rows in {n} files"), text=True),
    "yes and no": Odd(turns("yes", "no"), categories=2),
    "few numbers and a word": Odd(turns("1", "2", "3", "x"), categories=4),
    "a plus on some": Odd(turns("0", "1", "2", "1", "3+"), refused="dataset.types.b=categorical"),
    "emoji": Odd(turns("🙂", "🙁"), categories=2),
    "very long texts": Odd(turns("x" * 5000, "y"), categories=2),
    "a text as numeric": Odd(
        turns("low", "high"), refused="dataset.types.b=numeric", options=(("types", {"b": "numeric"}),)
    ),
    "codes as numeric": Odd(turns("01", "02"), (1, 2), options=(("types", {"b": "numeric"}),)),
    "numbers as categories": Odd(turns("1", "2", "3"), categories=3, options=(("types", {"b": "categorical"}),)),
    "zeros as categories": Odd(turns("01", "1"), categories=2, options=(("types", {"b": "categorical"}),)),
    "an id kept": Odd(each(lambda n: f"AB-{n:04}"), categories=60, options=(("types", {"b": "categorical"}),)),
}
