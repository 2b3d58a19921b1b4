"""The tables of the README, in Markdown, from the runs that `assay reproduce private_valuation` left.

python -m experiments.private_valuation.tables [--outputs outputs] [claims|cells|others|mechanisms ...]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from assay.report import Judgement, find_runs, judge_all
from assay.report.aggregate import SeedGroup, group_by_seed, table_over_seeds
from assay.report.known import claims_of
from assay.report.reading import RunRecord
from experiments.tables import claims_table, interval_of

PAPER = "private_valuation"
OTHERS = ("label_noise_letter", "label_noise_shuttle", "label_noise_photo_patches", "label_noise_fashion_mnist")
COMPARED = ("mechanisms", "mechanisms_breast_cancer", "mechanisms_accuracy", "mechanisms_adult", "mechanisms_mnist")
CELL = "cell_"


def cells_table(judgements: Iterable[Judgement]) -> list[str]:
    """A line for each data set, a column for each task: what burn-in gains over i.i.d. noise."""
    tasks = ("label_noise", "selection", "parties")
    cells: dict[str, dict[str, str]] = {}
    for each in judgements:
        if each.claim.id.startswith(CELL):
            task = next(task for task in tasks if each.claim.id.endswith(task))
            dataset = each.claim.id.removeprefix(CELL).removesuffix(f"_{task}")
            cells.setdefault(dataset, {})[task] = f"{interval_of(each)} {each.verdict}"
    lines = ["| data set | label noise (ROC-AUC) | selection (separation) | parties (Spearman) |", "|---|---|---|---|"]
    return lines + [f"| {name} | {' | '.join(row.get(task, '') for task in tasks)} |" for name, row in cells.items()]


def mechanisms_table(groups: Sequence[SeedGroup]) -> list[str]:
    """A line for each contender, a column for each epsilon: Spearman and ROC-AUC over seeds."""
    by_epsilon = {float(group.runs[0].setting("privacy.epsilon")): group for group in groups}
    order = sorted(by_epsilon, reverse=True)
    frames = {epsilon: table_over_seeds(by_epsilon[epsilon], "summary") for epsilon in order}
    lines = [
        "| contender | " + " | ".join(f"epsilon={epsilon:g}" for epsilon in order) + " |",
        "|---" * (len(order) + 1) + "|",
    ]
    first = frames[order[0]]
    if first is None:
        return []
    for contender in first["contender"]:
        cells = []
        for frame in frames.values():
            row = frame[frame["contender"] == contender].iloc[0]  # type: ignore[index]
            rho = f"{row['spearman']:.2f} [{row['spearman_low']:.2f}, {row['spearman_high']:.2f}]"
            cells.append(f"{rho}, AUC {row['auc']:.2f}")
        lines.append(f"| {contender} | {' | '.join(cells)} |")
    return lines


def others_table(records: Sequence[RunRecord]) -> list[str]:
    """A line for each further data set, a column for each contender: ROC-AUC over seeds at the largest k."""
    lines: list[str] = []
    for name in OTHERS:
        for group in group_by_seed(record for record in records if record.name == f"{PAPER}/{name}"):
            frame = table_over_seeds(group, "summary")
            if frame is None:
                continue
            last = frame.sort_values("evaluations").groupby("contender", sort=False).tail(1)
            if not lines:
                lines = [f"| data set | seeds | {' | '.join(last['contender'])} |", "|---" * (2 + len(last)) + "|"]
            cells = [f"{row.auc:.2f} [{row.auc_low:.2f}, {row.auc_high:.2f}]" for row in last.itertuples()]
            lines.append(f"| {name.removeprefix('label_noise_')} | {len(group.runs)} | {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables asked for, all of them by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("tables", nargs="*", default=["claims", "cells", "others", "mechanisms"])
    flags = parser.parse_args(arguments)
    records = [record for record in find_runs(flags.outputs / "runs" / PAPER) if record.scale == flags.scale]
    judgements = judge_all(claims_of(PAPER).claims, records, PAPER)
    if "claims" in flags.tables:
        print("\n".join(claims_table(judgements, lambda each: not each.claim.id.startswith(CELL))) + "\n")
    if "cells" in flags.tables:
        print("\n".join(cells_table(judgements)) + "\n")
    if "others" in flags.tables:
        print("\n".join(others_table(records)) + "\n")
    for name in COMPARED if "mechanisms" in flags.tables else ():
        groups = group_by_seed(record for record in records if record.name == f"{PAPER}/{name}")
        if groups:
            print(f"{name}:\n")
            print("\n".join(mechanisms_table(groups)) + "\n")


if __name__ == "__main__":
    main()
