"""Division of rows into train, valid and test: by strata, or blind to everything but a row's position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.data.dataset import PARTITION, TARGET, Dataset
from assay.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from assay.arrays import Integers
    from assay.data.options import DatasetOptions

PARTS = ("train", "valid", "test")


def allocate(counts: Integers, size: int) -> Integers:
    """Divide `size` among groups in proportion to their counts [groups], by largest remainder; never above a count."""
    import numpy as np

    shares: Integers
    quotas = counts * (size / max(int(counts.sum()), 1))
    shares = np.floor(quotas + 1e-9).astype(np.int64)
    missing = size - int(shares.sum())
    largest = np.argsort(-(quotas - shares), kind="stable")[:missing]
    shares[largest] += 1
    return shares


def stratified_parts(strata: Integers, sizes: list[int], generator: np.random.Generator) -> list[Integers]:
    """Disjoint random parts of given sizes in which each stratum [rows] has its share; positions in random order.

    Within a part a stratum's count differs from its exact share of the rows still free by less than one.
    """
    import numpy as np

    groups = [generator.permutation(np.flatnonzero(strata == value)) for value in np.unique(strata)]
    used = np.zeros(len(groups), dtype=np.int64)
    totals = np.array([len(group) for group in groups], dtype=np.int64)
    parts = []
    for size in sizes:
        shares = allocate(totals - used, size)
        chosen = [group[start : start + share] for group, start, share in zip(groups, used, shares, strict=True)]
        used = used + shares
        parts.append(generator.permutation(np.concatenate([*chosen, np.empty(0, dtype=np.int64)])).astype(np.int64))
    return parts


def part_sizes(split: Mapping[str, float], rows: int, official_test: int = 0) -> list[int]:
    """Rows of train, valid and test: a share of all rows below 1, a number from 1 on.

    With an official test part of `official_test` of the rows, a share for test takes all of it, and the shares of
    train and valid divide the remaining rows in proportion. Test may be 0;
    raises InputError when another part is empty or the rows do not suffice.
    """
    for part in PARTS:
        none = part == "test" and split[part] == 0
        if not (split[part] > 0 or none) or (split[part] >= 1 and split[part] != int(split[part])):
            limit = "must be a share in (0, 1) or a whole number of rows"
            raise InputError(f"dataset.split.{part}", split[part], limit, "for example 0.2 or 200")
    shares = sum(split[part] for part in PARTS if split[part] < 1)
    if shares > 1 + 1e-9:
        raise InputError("dataset.split", dict(split), f"shares sum to {shares:g}, more than 1", "lower one of them")
    pools = {"train": rows - official_test, "valid": rows - official_test, "test": official_test or rows}
    sizes = {part: int(split[part]) for part in PARTS if split[part] >= 1}
    if official_test:
        scale = 1 - split["test"] if split["test"] < 1 else 1.0
        bounds = {"train": split["train"] / scale, "valid": split["valid"] / scale, "test": float(split["test"] > 0)}
    else:
        bounds = {part: split[part] for part in PARTS}
    cumulative = 0.0
    for part in PARTS:
        if split[part] < 1:
            pool = pools[part]
            start = 0.0 if official_test and part == "test" else cumulative
            # Rounding the running sum, not each share, makes shares that sum to 1 use every row.
            sizes[part] = round((start + bounds[part]) * pool) - round(start * pool)
            cumulative = start + bounds[part]
    needed = {"train": sizes["train"] + sizes["valid"], "test": sizes["test"]}
    available = {"train": rows - official_test, "test": official_test}
    if not official_test:
        needed, available = {"train": sum(sizes.values())}, {"train": rows}
    for part, need in needed.items():
        if need > available[part]:
            where = f"the official {part} part has" if official_test else "the dataset has"
            limit = f"needs {need} rows, {where} {available[part]}"
            raise InputError("dataset.split", dict(split), limit, "ask for fewer rows or raise dataset.rows")
    for part in PARTS:
        if sizes[part] < 1 and split[part] > 0:
            limit = f"gives no row out of {rows}"
            raise InputError(f"dataset.split.{part}", split[part], limit, "raise the share or give a number of rows")
    return [sizes[part] for part in PARTS]


def split_rows(
    strata: Integers, partition: Integers | None, split: Mapping[str, float], generator: np.random.Generator
) -> list[Integers]:
    """Positions of train, valid and test among the rows; test comes from the official test part where there is one."""
    import numpy as np

    if partition is None:
        return stratified_parts(strata, part_sizes(split, len(strata)), generator)
    official = np.flatnonzero(partition == 1)
    others = np.flatnonzero(partition == 0)
    train, valid, test = part_sizes(split, len(strata), len(official))
    parts = [others[part] for part in stratified_parts(strata[others], [train, valid], generator)]
    return [*parts, official[stratified_parts(strata[official], [test], generator)[0]]]


@dataclass(frozen=True, eq=False)
class Division:
    """The rows of a run and their parts, as the options ask for them; `blind` divides by position alone."""

    options: DatasetOptions
    generator: Callable[[str], np.random.Generator]
    blind: bool

    def of(self, dataset: Dataset) -> list[Integers]:
        """Positions of train, valid and test in a dataset; classes have their share of each part unless blind."""
        import numpy as np

        stratified = dataset.kind == "classification" and not self.blind
        strata = np.asarray(dataset.numbers(TARGET)) if stratified else np.zeros(len(dataset), dtype=np.int64)
        partition = np.asarray(dataset.numbers(PARTITION)) if dataset.has(PARTITION) else None
        positions = np.arange(len(dataset)) if dataset.chosen is None else dataset.chosen
        return self._divided(positions, strata, partition)

    def of_rows(self, rows: int, partition: Integers | None) -> list[Integers]:
        """Positions of train, valid and test among rows of which nothing but the official partition is known."""
        import numpy as np

        return self._divided(np.arange(rows), np.zeros(rows, dtype=np.int64), partition)

    def _divided(self, positions: Integers, strata: Integers, partition: Integers | None) -> list[Integers]:
        import numpy as np

        rows = self.options.rows
        if rows is not None:
            if not 1 <= rows <= len(positions):
                raise InputError("dataset.rows", rows, f"must be in 1..{len(positions)}", "null takes every row")
            joint = (strata if partition is None else strata * 2 + partition)[positions]
            positions = positions[np.sort(stratified_parts(joint, [rows], self.generator("rows"))[0])]
        official = None if partition is None else partition[positions]
        parts = split_rows(strata[positions], official, self.options.split.sizes, self.generator("split"))
        return [positions[part] for part in parts]
