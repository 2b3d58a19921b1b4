"""The tables of the README, in Markdown, from the runs that `assay reproduce scaling_laws` left.

python -m experiments.scaling_laws.tables [--outputs outputs] [--scale laptop] [claims|laws|estimators|coverage|addition ...]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from assay.report import find_runs, judge_all
from assay.report.aggregate import SeedGroup, group_by_seed, interval_over_seeds, table_over_seeds
from assay.report.known import claims_of
from assay.report.reading import RunRecord
from experiments.tables import claims_table

PAPER = "scaling_laws"
LAW_COLUMNS = {
    "log_linear/r2": "log-log line (paper)",
    "weighted_power/r2": "weighted power law",
    "two_term/r2": "two terms",
    "log_linear/held_out_r2": "log-log line, held out",
    "two_term/held_out_r2": "two terms, held out",
    "split_half_r2": "half of half",
    "share_above/0.9": "points with R² ≥ .9",
    "alpha/mode": "mode of alpha",
    "alpha/median": "median of alpha",
    "rank_correlation/true": "rank correlation k=100, 1000",
}


def groups_of(records: Sequence[RunRecord], prefix: str) -> Iterator[tuple[str, SeedGroup]]:
    """Experiments whose name starts with a prefix, without it, with their runs."""
    names = sorted({record.name for record in records if record.name.startswith(f"{PAPER}/{prefix}")})
    for name in names:
        groups = group_by_seed(record for record in records if record.name == name)
        yield name.removeprefix(f"{PAPER}/{prefix}"), max(groups, key=lambda group: len(group.runs))


def laws_table(records: Sequence[RunRecord]) -> list[str]:
    """A line for each experiment on laws: how well they fit, and where the exponents lie."""
    lines = [f"| data, model | seeds | {' | '.join(LAW_COLUMNS.values())} |", "|---" * (2 + len(LAW_COLUMNS)) + "|"]
    for name, group in groups_of(records, "law_"):
        cells = [_over_seeds(group, metric) for metric in LAW_COLUMNS]
        lines.append(f"| {name} | {len(group.runs)} | {' | '.join(cells)} |")
    return lines


def by_cardinality_table(records: Sequence[RunRecord]) -> list[str]:
    """R^2 over points of the paper's log-log fit at every cardinality, a line for each experiment."""
    lines: list[str] = []
    for name, group in groups_of(records, "law_"):
        frame = table_over_seeds(group, "summary")
        if frame is None or len(frame) != 10:
            continue
        if not lines:
            sizes = " | ".join(str(size) for size in frame["cardinality"])
            lines = [f"| data, model | {sizes} |", "|---" * 11 + "|"]
        lines.append(f"| {name} | {' | '.join(f'{value:.3f}' for value in frame['log_linear/r2'])} |")
    return lines


def estimators_table(records: Sequence[RunRecord], density: str, column: str = "r2") -> list[str]:
    """A line for each estimator and number of samples, a column for each data set."""
    groups = dict(groups_of(records, "estimators_"))
    frames = {name: table_over_seeds(group, "summary") for name, group in groups.items()}
    lines = [f"| estimator | m | {' | '.join(frames)} |", "|---" * (2 + len(frames)) + "|"]
    scores = {
        name: {(row["estimator"], row["samples"]): row for row in frame[frame["density"] == density].to_dict("records")}
        for name, frame in frames.items()
        if frame is not None
    }
    # data sets differ in which estimators were run on them
    for estimator, samples in dict.fromkeys(key for rows in scores.values() for key in rows):
        cells = []
        for name in frames:
            row = scores.get(name, {}).get((estimator, samples))
            cells.append("" if row is None else _with_bounds(row, column))
        lines.append(f"| {estimator} | {samples} | {' | '.join(cells)} |")
    return lines if len(lines) > 2 else []


def quantities_table(records: Sequence[RunRecord], measure: str, density: str = "uniform") -> list[str]:
    """R^2, or how often 90 % intervals cover, by estimator, samples and quantity; of estimators that have intervals for psi."""
    lines = ["| data | estimator | m | Shapley value | psi_100 | psi_278 | psi_1000 |", "|---" * 7 + "|"]
    for name, group in groups_of(records, "estimators_"):
        keys = [metric for metric in group.runs[0].metrics if metric.startswith(f"{density}/")]
        for pair in dict.fromkeys(tuple(key.split("/")[1:3]) for key in keys if key.endswith("/coverage")):
            estimator, samples = pair
            stem = f"{density}/{estimator}/{samples}"
            if not any(run.metrics[f"{stem}/psi/coverage"] for run in group.runs):
                continue
            cells = [
                _over_seeds(group, f"{stem}/{each}/{measure}") for each in ("shapley", "psi_100", "psi_278", "psi_1000")
            ]
            lines.append(f"| {name} | {estimator} | {samples} | {' | '.join(cells)} |")
    return lines


def addition_table(records: Sequence[RunRecord], measure: str) -> list[str]:
    """Gain by score and size, a column for each data set."""
    groups = dict(groups_of(records, "addition_"))
    frames = {name: table_over_seeds(group, "summary") for name, group in groups.items()}
    lines = [f"| added to | score | {' | '.join(frames)} |", "|---" * (2 + len(frames)) + "|"]
    first = next((frame for frame in frames.values() if frame is not None), None)
    if first is None:
        return []
    for row in first.itertuples():
        cells = []
        for frame in frames.values():
            assert frame is not None
            each = frame[(frame["pool"] == row.pool) & (frame["score"] == row.score)].iloc[0]
            cells.append(_interval(each[measure], each[f"{measure}_low"], each[f"{measure}_high"]))
        lines.append(f"| {row.pool} | {row.score} | {' | '.join(cells)} |")
    return lines


def _over_seeds(group: SeedGroup, metric: str) -> str:
    samples = [run.metrics[metric] for run in group.runs if metric in run.metrics]
    if not samples:
        return ""
    interval = interval_over_seeds(samples)
    return _interval(interval.estimate, interval.low, interval.high)


def _with_bounds(row: Mapping[str, float], column: str) -> str:
    """A measure and its interval, whose bounds are NaN where there is a single seed."""
    return _interval(row[column], *(row.get(f"{column}_{end}", float("nan")) for end in ("low", "high")))


def _interval(estimate: float, low: float, high: float) -> str:
    return f"{estimate:.3g} [{low:.3g}, {high:.3g}]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables asked for, all of them by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    parser.add_argument("--scale", default="laptop")
    every = ["claims", "laws", "estimators", "coverage", "addition"]
    parser.add_argument("tables", nargs="*", default=every)
    flags = parser.parse_args(arguments)
    records = [record for record in find_runs(flags.outputs / "runs" / PAPER) if record.scale == flags.scale]
    made = {
        "claims": lambda: [claims_table(judge_all(claims_of(PAPER).claims, records, PAPER))],
        "laws": lambda: [laws_table(records), by_cardinality_table(records)],
        "estimators": lambda: [
            estimators_table(records, density, column)
            for density in ("uniform", "log_uniform")
            for column in ("r2", "spearman")
        ],
        "coverage": lambda: [quantities_table(records, measure) for measure in ("coverage", "r2")],
        "addition": lambda: [addition_table(records, measure) for measure in ("accuracy", "negative_loss")],
    }
    for name in flags.tables:
        for lines in made[name]():
            print("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
