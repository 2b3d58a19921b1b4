"""assay data"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from assay.cli.arguments import Parser, add_data
from assay.config.suggest import did_you_mean
from assay.errors import AssayError

_ACTIONS = ("list", "fetch", "verify")


def main(argv: Sequence[str]) -> int:
    """Lists, fetches or verifies datasets and encoders."""
    parser = Parser("data")
    parser.add_argument("action", nargs="?", default="list")
    parser.add_argument("names", nargs="*")
    add_data(parser)
    flags = parser.parse(argv)
    if flags.action not in _ACTIONS:
        raise AssayError(f"{flags.action}: unknown action ({did_you_mean(flags.action, _ACTIONS, 'assay data ')})")
    if flags.names and flags.action != "fetch":
        raise AssayError(f"assay data {flags.action}: takes no names (see assay data --help)")
    if flags.action == "fetch":
        return _fetch(flags.names, flags.data)
    return _verify(flags.data) if flags.action == "verify" else _list(flags.data)


def _list(data_dir: Path) -> int:
    from assay.data import list_datasets, list_encoders

    rows = [(*map(str, entry[:4]), "here" if entry[4] else "") for entry in list_datasets(data_dir)]
    _print_table(("dataset", "kind", "shape", "had from", "cached"), rows)
    print()
    rows = [(*map(str, entry[:4]), "here" if entry[4] else "") for entry in list_encoders(data_dir)]
    _print_table(("encoder", "reads", "features", "had from", "cached"), rows)
    return 0


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _fetch(names: Sequence[str], data_dir: Path) -> int:
    from assay.data import fetch, list_datasets, list_encoders

    known = [str(entry[0]) for entry in (*list_datasets(data_dir), *list_encoders(data_dir))]
    if not names:
        raise AssayError("assay data fetch: which? (names are in assay data list)")
    for name in names:
        if name not in known:
            raise AssayError(f"{name}: unknown dataset or encoder ({did_you_mean(name, known)})")
    for line in fetch(names, data_dir):
        print(line)
    return 0


def _verify(data_dir: Path) -> int:
    from assay.data import verify

    problems = list(verify(data_dir))
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{data_dir}: every file has its checksum")
    return 1 if problems else 0
