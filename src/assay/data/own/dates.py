"""Dates, times of day and durations as numbers: days since 1970-01-01, or seconds."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = (
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|UTC|[-+]\d{2}:?\d{2})?)?"
)
_MONTH = rf"(?P<name>(?i:{'|'.join(MONTHS)})[a-z]*)\.?"
_FORMS = {
    "year first": re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + _TIME),
    "year and month": re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})"),
    "month in letters and year": re.compile(rf"{_MONTH}[- ](?P<year>\d{{4}})"),
    "day first": re.compile(r"(?P<day>\d{1,2})([-/.])(?P<month>\d{1,2})\2(?P<year>\d{4}|\d{2})" + _TIME),
    "month first": re.compile(r"(?P<month>\d{1,2})([-/])(?P<day>\d{1,2})\2(?P<year>\d{4}|\d{2})" + _TIME),
    "month in letters": re.compile(
        rf"(?:[A-Za-z]{{3,9}}, )?(?P<day>\d{{1,2}})\.?[- ]{_MONTH}[- ,]+(?P<year>\d{{4}}|\d{{2}})" + _TIME
    ),
    "month in letters first": re.compile(rf"{_MONTH} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})" + _TIME),
}
_CLOCK = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+) days?,? \+?)?(?P<hours>\d{1,3}):(?P<minutes>\d{2})(?P<rest>:(?P<seconds>\d{2}(?:\.\d+)?))?"
    r"(?:\s*(?P<half>[AaPp][Mm]))?"
)
_NUMBER = r"\d+(?:\.\d+)?"
_LENGTH = re.compile(
    rf"(?:(?P<days>{_NUMBER})\s*(?:d|days?))?[ ,]*(?:(?P<hours>{_NUMBER})\s*(?:h|hrs?|hours?))?[ ,]*"
    rf"(?:(?P<minutes>{_NUMBER})\s*(?:m|mins?|minutes?))?[ ,]*(?:(?P<seconds>{_NUMBER})\s*(?:s|secs?|seconds?))?"
)
_ISO = re.compile(
    rf"P(?:(?P<days>{_NUMBER})D)?(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
)
_DURATIONS = {"clock": _CLOCK, "hours and minutes": _LENGTH, "ISO duration": _ISO}


@dataclass(frozen=True)
class Moments:
    """Cells in one form of date (number: days since 1970-01-01) or of time and duration (number: seconds)."""

    form: str

    @property
    def unit(self) -> str:
        """Unit of the numbers."""
        return "days since 1970-01-01" if self.form in _FORMS else "seconds"

    def __call__(self, text: str) -> float | None:
        """The number that a text stands for; None for another form."""
        return _days(self.form, text.strip()) if self.form in _FORMS else _seconds(self.form, text.strip())


def moments_of(texts: Sequence[str], lenient: bool = False) -> Moments | None:
    """The form that all texts share; None for none, and where day and month could change places, unless `lenient`."""
    fitting = [
        form for form in (*_FORMS, *_DURATIONS) if all(Moments(form)(text) is not None for text in _trial(texts))
    ]
    fitting = [form for form in fitting if all(Moments(form)(text) is not None for text in texts)]
    if not fitting:
        return None
    if {"day first", "month first"} <= set(fitting) and not lenient:
        same = all(Moments("day first")(text) == Moments("month first")(text) for text in texts)
        return Moments("day first") if same else None
    if fitting[0] == "clock" and len({text.count(":") for text in texts}) > 1:
        return None  # 1:30 beside 1:30:00 is in minutes or in hours
    return Moments(fitting[0])


def _trial(texts: Sequence[str]) -> Sequence[str]:
    """A few texts, which rule out most forms at once."""
    return texts[:3]


def _days(form: str, text: str) -> float | None:
    match = _FORMS[form].fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    month = int(parts["month"]) if parts.get("month") else 1 + MONTHS.index(parts["name"][:3].lower())
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < 69 else 1900
    hour = int(parts.get("hour") or 0)
    if parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"].lower() == "pm" else 0)
    try:
        day = datetime.datetime(
            year, month, int(parts.get("day") or 1), hour, int(parts.get("minute") or 0), tzinfo=datetime.UTC
        )
    except ValueError:
        return None
    second = float((parts.get("second") or "0").replace(",", "."))
    elapsed = (day - EPOCH).total_seconds() + second - _offset(parts.get("zone"))
    return elapsed / 86400


def _offset(zone: str | None) -> float:
    if zone is None or zone in ("Z", "UTC"):
        return 0.0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -float(seconds) if zone[0] == "-" else float(seconds)


def _seconds(form: str, text: str) -> float | None:
    match = _DURATIONS[form].fullmatch(text)
    if match is None or not re.search(r"\d", text):
        return None
    parts = match.groupdict()
    if form == "clock" and int(parts["minutes"]) > 59:
        return None
    sizes = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    if parts.get("half"):
        if not 1 <= int(parts["hours"]) <= 12 or parts["days"] or parts["sign"]:
            return None
        parts["hours"] = str(int(parts["hours"]) % 12 + (12 if parts["half"].lower() == "pm" else 0))
    total = sum(float(parts.get(name) or 0) * size for name, size in sizes.items())
    return -total if parts.get("sign") else total
