"""Puts runs that differ in seed alone together: a mean and a 95 % interval for every figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.report.reading import MISSING, RunRecord
from assay.runs.fingerprint import LEFT_OUT, fingerprint
from assay.runs.outcome import Headline
from assay.statistics import Interval, mean_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SeedGroup:
    """Runs of one config over seeds, by seed."""

    runs: tuple[RunRecord, ...]

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.runs[0].name

    @property
    def headline(self) -> Headline:
        """The headline of the lowest seed."""
        return self.runs[0].headline

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds at hand, ascending."""
        return tuple(run.seed for run in self.runs)


def group_by_seed(records: Iterable[RunRecord]) -> list[SeedGroup]:
    """Groups of runs of one code whose configs agree but for the seed, in order of appearance; of a seed the newest run."""
    groups: dict[tuple[str, str], dict[int, RunRecord]] = {}
    for record in records:
        runs = groups.setdefault((_without_seed(record), record.sources), {})
        other = runs.get(record.seed)
        if other is None or str(record.status.get("finished")) > str(other.status.get("finished")):
            runs[record.seed] = record
    return [SeedGroup(tuple(runs[seed] for seed in sorted(runs))) for runs in groups.values()]


def interval_over_seeds(samples: Sequence[float]) -> Interval:
    """Mean and 95 % Student-t interval; without bounds when a sample is not finite (epsilon without privacy is not)."""
    finite = all(map(math.isfinite, samples))
    if len(set(samples)) == 1:  # no rounding of a mean may widen what does not vary
        bound = samples[0] if finite and len(samples) > 1 else math.nan
        return Interval(samples[0], bound, bound)
    return mean_interval(samples) if finite else Interval(math.nan, math.nan, math.nan)


def metrics_over_seeds(group: SeedGroup) -> dict[str, Interval]:
    """Mean and 95 % Student-t interval of every metric that all runs of a group have."""
    shared = [name for name in group.runs[0].metrics if all(name in run.metrics for run in group.runs)]
    return {name: interval_over_seeds([run.metrics[name] for run in group.runs]) for name in shared}


def table_over_seeds(group: SeedGroup, name: str, keys: Sequence[str] | None = None) -> pd.DataFrame | None:
    """A table with the mean over seeds of each measure; rows are matched by `keys` (default: what is no measure).

    Measures that had bounds `<measure>_low` and `<measure>_high` keep them with one seed (whatever the run meant by
    them); from two seeds on every float measure has bounds, the 95 % Student-t interval over seeds. None when no run
    has the table.
    """
    import pandas as pd

    frames = [frame for run in group.runs if (frame := run.table(name)) is not None]
    if not frames:
        return None
    if len(frames) == 1:
        return frames[0].reset_index(drop=True)
    keys = list(keys) if keys else row_keys(frames)
    measures = [c for c in frames[0].columns if c not in keys and _is_measure(frames[0], c)]
    stacked = pd.concat(frames, ignore_index=True)
    if not keys:  # rows differ by their place alone
        keys = ["row"]
        stacked["row"] = [place for frame in frames for place in range(len(frame))]
    rows = []
    for labels, part in stacked.groupby(keys, sort=False, dropna=False):
        row: dict[str, Any] = dict(zip(keys, labels, strict=True))
        for measure in measures:
            interval = interval_over_seeds(part[measure].tolist())
            row[measure] = interval.estimate
            row[f"{measure}_low"], row[f"{measure}_high"] = interval.low, interval.high
        rows.append(row)
    return pd.DataFrame(rows).drop(columns="row", errors="ignore")


def values_over_seeds(group: SeedGroup) -> pd.DataFrame | None:
    """Mean value of each row over the seeds that valued it, lowest first; None for one seed, or runs that value no rows.

    Columns: id, value, value_low, value_high (95 % Student-t interval over these seeds), seeds (how many they are).
    """
    import pandas as pd

    tables = [table for run in group.runs if (table := run.table("values")) is not None]
    if len(tables) < 2 or any(not {"id", "value"} <= set(table) or table["id"].duplicated().any() for table in tables):
        return None
    rows = []
    for row, values in pd.concat([table[["id", "value"]] for table in tables]).groupby("id")["value"]:
        mean = interval_over_seeds(values.tolist())
        rows.append({"id": row, "value": mean.estimate, "value_low": mean.low, "value_high": mean.high})
        rows[-1]["seeds"] = len(values)
    return pd.DataFrame(rows).sort_values("value", kind="stable", ignore_index=True)


def in_order(groups: Sequence[SeedGroup]) -> list[SeedGroup]:
    """The groups by experiment, then by the settings in which they differ: numbers by size, words as they came."""
    settings = differing_settings(groups)
    places: dict[str, dict[str, int]] = {}
    for each in settings:
        for key, value in each.items():
            places.setdefault(key, {}).setdefault(repr(value), len(places[key]))

    def rank(place: int) -> tuple[Any, ...]:
        ranks = [
            value if isinstance(value, int | float) else math.inf if value is None else places[key][repr(value)]
            for key, value in settings[place].items()
        ]
        return (groups[place].name, *ranks)

    return [groups[place] for place in sorted(range(len(groups)), key=rank)]


def row_keys(frames: Sequence[pd.DataFrame]) -> list[str]:
    """Columns that say what a row is about: those without fractions that read alike in every frame."""
    from pandas.api.types import is_float_dtype

    first = frames[0]
    alike = [c for c in first.columns if all(c in frame for frame in frames) and not is_float_dtype(first[c])]
    return [c for c in alike if all(frame[c].tolist() == first[c].tolist() for frame in frames)]


def is_bound(column: str, frame: pd.DataFrame) -> bool:
    """True for the lower or upper bound of another column."""
    return any(column.endswith(end) and column.removesuffix(end) in frame for end in ("_low", "_high"))


def differing_settings(groups: Sequence[SeedGroup]) -> list[dict[str, Any]]:
    """For each group, the dotted settings in which the groups differ; where options differ, their names come first."""
    flat = [_settings_of(group) for group in groups]
    keys = [key for key in dict.fromkeys(k for settings in flat for k in settings) if not _is_left_out(key)]
    differing = [key for key in keys if len({repr(settings.get(key)) for settings in flat}) > 1]
    named = [key for key in differing if key in ("name", "scale") or key.endswith(".name")]
    if named:  # an option brings other settings along; of these, only what tells groups apart that the names do not
        chosen = list(named)
        for key in differing:
            if key not in chosen and _distinct([*chosen, key], flat) > _distinct(chosen, flat):
                chosen.append(key)
        differing = chosen
    return [{key: settings.get(key) for key in differing} for settings in flat]


def _settings_of(group: SeedGroup) -> dict[str, Any]:
    """The dotted settings of a group but for the seed, and the sources that made it."""
    run = group.runs[0]
    return {**_flatten({k: v for k, v in run.config.items() if k != "seed"}), "sources": run.sources[:8]}


def _distinct(keys: Sequence[str], flat: Sequence[Mapping[str, Any]]) -> int:
    return len({repr([settings.get(key) for key in keys]) for settings in flat})


def _without_seed(record: RunRecord) -> str:
    data, path = record.status.get("data"), record.setting("dataset.path")
    own = path is not MISSING and path is not None  # the same content elsewhere is the same data
    checksum = data.get("sha256") if own and isinstance(data, Mapping) else None
    code = record.status.get("code")
    settings = {k: v for k, v in record.config.items() if k != "seed"}
    return fingerprint(settings, checksum, code if isinstance(code, str) else None)


def _is_measure(frame: pd.DataFrame, column: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_bound(column, frame):
        return False
    return is_numeric_dtype(frame[column]) and not is_bool_dtype(frame[column])


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _is_left_out(key: str) -> bool:
    return any(key == left or key.startswith(f"{left}.") for left in LEFT_OUT)
