"""Numbers as people write them: with a currency, a unit, per cent, grouped thousands, a decimal comma, parentheses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.data.own.dates import Moments, moments_of

MOST_UNITS = 4  # numbers that end in more ways are codes
SYMBOLS = "$€£¥₹₽₩₺₪"
CURRENCIES = (
    *("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "AUD", "CAD", "NZD", "BRL", "PLN", "CZK"),
    *("US$", "A$", "C$", "R$", "kr", "Fr.", "Rs.", "Rs"),
)
_PREFIX = "|".join(re.escape(each) for each in (*CURRENCIES, *SYMBOLS))
_UNIT = r"%|‰|[^\W\d_](?:[\w/·^*\-⁻¹²³.%°]{0,11}?[\w²³¹%°.])?|[°\"'′″][A-Za-z]?|" + "|".join(map(re.escape, SYMBOLS))
_WRITTEN = re.compile(
    rf"(?P<open>\()?\s*(?P<before>[-+])?\s*(?P<prefix>{_PREFIX})?\s*(?P<after>[-+])?\s*"
    r"(?P<body>(?:\d[\d.,'’_ ]*\d|\d[.,]?|[.,]\d+))(?P<power>[eE][-+]?\d+)?\s*"
    rf"(?P<trail>-)?\s*(?P<suffix>US\$|{_UNIT})?\s*(?P<close>\))?"
)
# groups of three never begin with 0, so that 0,125 has a decimal comma
_POINT = re.compile(
    r"(?:[1-9]\d?(?:,\d{2})+,\d{3}|[1-9]\d{0,2}(?:(?P<group>[,'’_ ])\d{3})(?:(?P=group)\d{3})*|\d+)?(?:\.\d*)?"
)
_COMMA = re.compile(r"(?:[1-9]\d{0,2}(?:(?P<group>[.'’_ ])\d{3})(?:(?P=group)\d{3})*|\d+)?(?:,\d*)?")
_DASHES = str.maketrans(dict.fromkeys("−‒–—﹣-", "-") | dict.fromkeys("\u00a0\u2007\u2009\u202f", " "))


@dataclass(frozen=True)
class Amounts:
    """Cells of one currency or unit and one decimal sign: a text becomes a number, or none."""

    prefix: str = ""
    suffix: str = ""
    decimal: str = "."

    def __call__(self, text: str) -> float | None:
        """The number that a text stands for; None for another currency or unit, and for no number."""
        parts = parts_of(text)
        if parts is None or (parts.prefix, parts.suffix) != (self.prefix, self.suffix):
            return None
        return parts.number(self.decimal)


Notation = Amounts | Moments


@dataclass(frozen=True)
class Parts:
    """Sign, prefix, digits and suffix of a written number."""

    negative: bool
    prefix: str
    body: str
    power: str
    suffix: str

    def fits(self, decimal: str) -> bool:
        """True where the digits are written with this decimal sign."""
        return (_POINT if decimal == "." else _COMMA).fullmatch(self.body) is not None

    def number(self, decimal: str) -> float | None:
        """The number, None where the digits are grouped in another way."""
        if not self.fits(decimal):
            return None
        bare = re.sub(r"[,'’_ ]" if decimal == "." else r"[.'’_ ]", "", self.body).replace(",", ".")
        value = float(bare + self.power)
        return -value if self.negative else value


def parts_of(text: str) -> Parts | None:
    """The parts of a written number; None for a text that is none, as 10.0.3.1, and for a code with leading zeros."""
    match = _WRITTEN.fullmatch(text.translate(_DASHES).strip())
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    signs = (match["before"] or "") + (match["after"] or "") + (match["trail"] or "")
    if len(signs) > 1 or (signs and match["open"]) or re.match(r"0\d", match["body"]):
        return None
    if match["suffix"] in ("e", "E") or (match["body"] == "0" and (match["suffix"] or "").lower().startswith("x")):
        return None  # 12e is cut off, 0x1F has other digits
    negative = signs == "-" or match["open"] is not None
    parts = Parts(negative, match["prefix"] or "", match["body"], match["power"] or "", match["suffix"] or "")
    return parts if parts.fits(".") or parts.fits(",") else None


def notation_of(texts: Sequence[str], decimal: str | None = None) -> Notation | None:
    """The notation that all texts share; None where there is none. `decimal` is the decimal sign, None: as they show."""
    parts = [parts_of(text) for text in texts]
    if not texts:
        return None
    if all(part is not None for part in parts):
        return _amounts([part for part in parts if part is not None], decimal)
    return moments_of([text.translate(_DASHES).strip() for text in texts])


def _amounts(parts: Sequence[Parts], decimal: str | None) -> Amounts | None:
    affixes = {(part.prefix, part.suffix) for part in parts}
    if len(affixes) > 1:
        return None
    ((prefix, suffix),) = affixes
    signs = [decimal] if decimal else [".", ","]
    sign = next((sign for sign in signs if all(part.fits(sign) for part in parts)), None)
    return None if sign is None else Amounts(prefix, suffix, sign)


def is_written(text: str) -> bool:
    """True where a text is a number, a date or a duration as people write them."""
    return parts_of(text) is not None or moments_of([text.translate(_DASHES).strip()], lenient=True) is not None


def disagreement(texts: Sequence[str]) -> str | None:
    """The reason for which written numbers share no notation; None for codes, which end in many ways."""
    parts = [parts_of(text) for text in texts]
    there = [part for part in parts if part is not None]
    if not there:
        return "dates whose order of day and month is not clear"
    if len(there) < len(parts):
        return "some cells are dates or durations and others numbers"
    affixes = {(part.prefix, part.suffix) for part in there}
    if len(affixes) > MOST_UNITS:
        return None
    if len(affixes) > 1:
        kind = "currencies" if any(_is_currency(each) for pair in affixes for each in pair) else "units"
        shown = " and ".join(sorted(f"{prefix}{suffix}" or "none" for prefix, suffix in affixes))
        return f"its numbers are in several {kind} ({shown})"
    return "its numbers have decimal points and decimal commas"


def _is_currency(affix: str) -> bool:
    return bool(affix) and (affix in CURRENCIES or affix in SYMBOLS)


def plain(text: str) -> str:
    """The text with one kind of minus and of blank."""
    return text.translate(_DASHES).strip()
