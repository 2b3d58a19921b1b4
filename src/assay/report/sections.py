"""The parts of a report as plain text and bytes, before they become a page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.figures.tables import number, with_interval
from assay.report.aggregate import SeedGroup, is_bound, metrics_over_seeds, table_over_seeds
from assay.report.figures import png, summary_figure, swept_figure
from assay.report.summary import joined, whole_tables, with_bounds

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 60  # of a table that no headline shows
LOWEST, HIGHEST = 10, 5  # of mean values over seeds
OWN_IMAGES = ("claims", "over_seeds", "sweep")


@dataclass(frozen=True)
class Table:
    """A table in words: cells [rows][columns], and which columns hold numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True)
class Image:
    """A PNG with its file name, caption and the text that stands for it."""

    file: str
    caption: str
    alt: str
    content: bytes


def table(frame: pd.DataFrame, caption: str) -> Table:
    """A frame in words; a measure with bounds reads `mean [low, high]`."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns = [column for column in map(str, frame) if not is_bound(column, frame)]
    rows = []
    for row in frame.to_dict("records"):
        plain = {str(name): _plain(value) for name, value in row.items()}
        rows.append(tuple(with_interval(plain, column) for column in columns))
    numeric = tuple(bool(is_numeric_dtype(frame[c]) and not is_bool_dtype(frame[c])) for c in columns)
    return Table(caption, tuple(str(column).replace("_", " ") for column in columns), tuple(rows), numeric)


def label_of(group: SeedGroup, settings: dict[str, Any]) -> str:
    """Label of a group in a report: the settings in which it differs from the others, else its name."""
    return ", ".join(f"{key}={value}" for key, value in settings.items()) or group.name


def metrics_table(group: SeedGroup) -> Table:
    """Every metric with its mean and interval over seeds."""
    metrics = metrics_over_seeds(group).items()
    rows = tuple((name, number(ours.estimate), number(ours.low), number(ours.high)) for name, ours in metrics)
    return Table(f"Metrics over {_seeds(group)}", ("metric", "mean", "low", "high"), rows, (False, True, True, True))


def further_wholes(group: SeedGroup) -> list[Table]:
    """The tables of a headline after its first one, over seeds."""
    tables = []
    for shown in whole_tables(group)[1:]:
        frame = joined(group, shown)
        if frame is not None:
            columns = shown.columns or tuple(column for column in map(str, frame) if not is_bound(column, frame))
            tables.append(table(with_bounds(frame, columns), shown.title or f"Table {shown.table}"))
    return tables


def other_tables(group: SeedGroup) -> list[Table]:
    """Small tables of a group that its headline does not show, over seeds."""
    headline = group.headline
    shown = {name for each in (*headline.tables, *headline.further) for name in (each.table, each.beside)}
    tables = []
    for name in group.runs[0].tables:
        frame = None if name in shown else table_over_seeds(group, name)
        if frame is not None and 0 < len(frame) <= SHOWN_ROWS:
            tables.append(table(frame, f"Table {name} over {_seeds(group)}"))
    return tables


def row_tables(group: SeedGroup) -> list[Table]:
    """The rows that the headline picks from its tables, of the lowest seed of a group."""
    run = group.runs[0]
    tables = []
    for shown in (*group.headline.tables, *group.headline.further):
        frame = None if shown.rows is None else run.table(shown.table)
        if frame is not None and shown.rows is not None:
            bounds = {
                end: f"{column}_{place}" for column, ends in shown.intervals.items() for end, place in _ends(ends)
            }
            chosen = frame.iloc[list(shown.rows)].rename(columns=bounds)
            columns = shown.columns or tuple(column for column in map(str, chosen) if not is_bound(column, chosen))
            tables.append(table(with_bounds(chosen, columns), shown.title))
    return tables


def mean_tables(means: pd.DataFrame) -> list[Table]:
    """The lowest and the highest of mean values, or all of them where they are few."""
    ends = (LOWEST, "the {} lowest mean values of {} over seeds"), (HIGHEST, "the {} highest mean values of {}")
    if len(means) <= LOWEST + HIGHEST:
        return [table(means, f"all {len(means)} mean values over seeds")]
    lowest, highest = (words.format(count, len(means)) for count, words in ends)
    return [table(means[:LOWEST], lowest), table(means[::-1][:HIGHEST], highest)]


def swept_images(full: pd.DataFrame | None, keys: Sequence[str]) -> list[Image]:
    """The measures of a summary against the key of a sweep that takes most values; none where no key is a number."""
    figure = None if full is None else swept_figure(full, [key for key in keys if key in full])
    if figure is None:
        return []
    caption = "Measures against the swept settings: mean and 95 % interval over seeds"
    return [Image("sweep.png", caption, f"{caption}. The summary table holds the figures.", png(figure))]


def _ends(ends: tuple[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    return (ends[0], "low"), (ends[1], "high")


def group_images(group: SeedGroup, label: str, alone: bool) -> list[Image]:
    """A figure over seeds where there are several, and the figures that the run of the lowest seed left."""
    images = []
    prefix = "" if alone else f"{slug(label)}-"
    if len(group.runs) > 1:
        first = next(iter(whole_tables(group)), None)
        over_seeds = None if first is None else table_over_seeds(group, first.table)
        figure = None if over_seeds is None else summary_figure(over_seeds)
        if figure is not None:
            caption = f"{label}: mean and 95 % interval over {_seeds(group)}"
            alt = f"Line chart of each measure against the evaluations. {caption}. The summary table holds the figures."
            images.append(Image(f"{prefix}over_seeds.png", caption, alt, png(figure)))
    run = group.runs[0]
    for file in run.figures:
        name = f"{prefix}{file.name}"
        if file.stem in OWN_IMAGES and not prefix:
            name = f"{run.fingerprint}-{file.name}"
        caption = f"{label}: {file.stem.replace('_', ' ')}, seed {run.seed}"
        alt = f"Figure {file.stem.replace('_', ' ')} as the run with seed {run.seed} drew it ({label})."
        images.append(Image(name, caption, alt, file.read_bytes()))
    return images


def _plain(value: Any) -> object:
    return value.item() if hasattr(value, "item") else value


def _seeds(group: SeedGroup) -> str:
    return f"{len(group.seeds)} seed{'s' if len(group.seeds) > 1 else ''}"


def slug(label: str) -> str:
    """A label as part of a file's name: 60 characters at most, the end of a longer one replaced by its hash."""
    plain = re.sub(r"[^\w.]+", "-", label).strip("-.")
    return plain if len(plain) <= 60 else f"{plain[:51]}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def count_verdicts(verdicts: Sequence[str]) -> str:
    """`6 reproduced, 1 inconclusive`, in the order of first appearance by number."""
    counts = {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items(), key=lambda item: -item[1]))
