"""The command `assay data`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from assay.cli.arguments import Parser, add_data
from assay.config.suggest import did_you_mean
from assay.errors import AssayError, InputError
from assay.figures.tables import print_table

_ACTIONS = ("list", "fetch", "verify", "schema")


def main(argv: Sequence[str]) -> int:
    """Lists, fetches or verifies datasets and encoders, or drafts the schema of a user's file."""
    parser = Parser("data")
    parser.add_argument("action", nargs="?", default="list")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--config-dir", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--encoding", default="utf-8")
    add_data(parser)
    flags = parser.parse(argv)
    if flags.action not in _ACTIONS:
        raise AssayError(f"{flags.action}: unknown action ({did_you_mean(flags.action, _ACTIONS, 'assay data ')})")
    if flags.names and flags.action not in ("fetch", "schema"):
        raise AssayError(f"assay data {flags.action}: takes no names (see assay data --help)")
    if flags.action == "schema":
        return _schema(flags)
    if flags.target or flags.out:
        raise AssayError(f"assay data {flags.action}: --target and --out are for assay data schema")
    if flags.action == "fetch":
        return _fetch(flags.names, flags.data, flags.config_dir)
    if flags.action == "verify":
        return _verify(flags.data, flags.config_dir)
    return _list(flags.data, flags.config_dir)


def _list(data_dir: Path, config_dir: Path | None) -> int:
    from assay.data import list_datasets, list_encoders

    print_table(
        "",
        [
            _row(("dataset", "kind", "shape", "source", "cached"), entry)
            for entry in list_datasets(data_dir, config_dir)
        ],
    )
    print_table(
        "", [_row(("encoder", "reads", "features", "source", "cached"), entry) for entry in list_encoders(data_dir)]
    )
    return 0


def _row(columns: Sequence[str], entry: Sequence[object]) -> dict[str, str]:
    return dict(zip(columns, (*map(str, entry[:4]), "here" if entry[4] else ""), strict=True))


def _fetch(names: Sequence[str], data_dir: Path, config_dir: Path | None) -> int:
    from assay.data import fetch, list_datasets, list_encoders

    known = [str(entry[0]) for entry in (*list_datasets(data_dir, config_dir), *list_encoders(data_dir))]
    if not names:
        raise AssayError("assay data fetch: which? (names are in assay data list)")
    for name in names:
        if name not in known:
            raise AssayError(f"{name}: unknown dataset or encoder ({did_you_mean(name, known)})")
    for line in fetch(names, data_dir, config_dir):
        print(line)
    return 0


def _verify(data_dir: Path, config_dir: Path | None) -> int:
    from assay.data import verify

    problems = list(verify(data_dir, config_dir))
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{data_dir}: every file has its checksum")
    return 1 if problems else 0


def _schema(flags: argparse.Namespace) -> int:
    from assay.data.own.csv import is_encoding
    from assay.data.own.draft import draft_schema, write_draft

    if len(flags.names) != 1:
        raise AssayError("assay data schema: needs one file (assay data schema FILE --target COLUMN --out schema.yaml)")
    if not is_encoding(flags.encoding):
        raise InputError("--encoding", flags.encoding, "unknown encoding", "e.g. --encoding latin-1")
    if flags.out is None:
        print(draft_schema(flags.names[0], flags.target, flags.encoding), end="")
        return 0
    write_draft(flags.names[0], flags.target, flags.out, flags.encoding)
    print(f"{flags.out}: a draft, to be edited before public: true")
    return 0
