"""The command `assay reproduce`."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from assay.cli.arguments import Parser, add_data, add_outputs
from assay.config.locations import experiments_root
from assay.config.root import SCALES
from assay.config.suggest import did_you_mean
from assay.errors import AssayError, InputError
from assay.processes import in_workers


def main(argv: Sequence[str]) -> int:
    """Carries out and judges the claims of a paper."""
    parser = Parser("reproduce")
    parser.add_argument("paper", nargs="?")
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--claims", nargs="+")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fetch", action="store_true")
    add_outputs(parser)
    add_data(parser)
    flags = parser.parse(argv)
    _check_paper(flags.paper)
    if flags.scale not in SCALES:
        raise InputError("--scale", flags.scale, "unknown scale", did_you_mean(flags.scale, SCALES))
    if flags.seeds is not None and flags.seeds < 1:
        raise InputError("--seeds", flags.seeds, "must be >= 1", "intervals need 2 or more")
    if flags.workers < 1:
        raise InputError("--workers", flags.workers, "must be >= 1", "1 carries out the runs one after the other")
    from assay.report import reproduce

    def run(overrides: Sequence[str]) -> Path:
        directory = _carry(overrides, flags.outputs, flags.data)
        print(f"run: {directory}", flush=True)
        return directory

    def ahead(runs: Sequence[Sequence[str]]) -> None:
        """Several runs at a time; they are independent, so that each writes what it would have written alone."""
        if flags.workers > 1 and len(runs) > 1:
            from joblib import delayed

            # a worker that has grown is replaced by a fresh one, which is nothing to worry anybody with
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
            calls = (delayed(_carry)(overrides, flags.outputs, flags.data) for overrides in runs)
            for _ in in_workers(min(flags.workers, len(runs)), calls):
                pass

    folder = reproduce(
        paper=flags.paper,
        scale=flags.scale,
        seeds=flags.seeds,
        claims=flags.claims,
        run=run,
        outputs=flags.outputs,
        ahead=ahead,
        check=lambda runs: _have_data(runs, flags),
    )
    print(f"report: {folder / 'index.html'}")
    return 0


def _carry(overrides: Sequence[str], outputs: Path, data: Path) -> Path:
    from assay.experiment import run

    return run([*overrides, f"paths.outputs={outputs}", f"paths.data={data}", "progress=false"]).path


def _have_data(runs: Sequence[Sequence[str]], flags: argparse.Namespace) -> None:
    """Fetches all datasets and encoders of the runs that are not here, or says in one line which they are."""
    from assay.config.compose import compose
    from assay.data import absent, fetch

    names: list[str] = []
    for overrides in runs:
        dataset = compose(overrides).dataset
        names += [name for name in (dataset.name, dataset.preprocess.encoder) if name is not None]
    missing = absent(names, flags.data)
    if missing and not flags.fetch:
        words = ", ".join(map(str, missing))
        raise AssayError(f"{flags.data}: {len(missing)} to fetch: {words} (the same command with --fetch fetches them)")
    for line in fetch([each.name for each in missing], flags.data):
        print(line)


def _check_paper(paper: str | None) -> None:
    papers = sorted(file.parent.name for file in experiments_root().glob("*/claims.yaml"))
    if paper is None:
        raise AssayError(f"assay reproduce: which paper? ({did_you_mean('', papers)})")
    if paper not in papers:
        raise AssayError(f"{paper}: unknown paper ({did_you_mean(paper, papers)})")
