"""assay reproduce"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.cli.arguments import Parser, add_outputs
from assay.config.locations import experiments_root
from assay.config.suggest import did_you_mean
from assay.errors import AssayError, InputError

_SCALES = ("smoke", "laptop", "paper")


def main(argv: Sequence[str]) -> int:
    """Carries out and judges the claims of a paper."""
    parser = Parser("reproduce")
    parser.add_argument("paper", nargs="?")
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--claims", nargs="+")
    add_outputs(parser)
    flags = parser.parse(argv)
    _check_paper(flags.paper)
    if flags.scale not in _SCALES:
        raise InputError("--scale", flags.scale, "unknown scale", did_you_mean(flags.scale, _SCALES))
    if flags.seeds is not None and flags.seeds < 1:
        raise InputError("--seeds", flags.seeds, "must be >= 1", "intervals need 2 or more")
    from assay.report import reproduce

    def run(overrides: Sequence[str]) -> Path:
        from assay.cli.job import carry
        from assay.config import compose

        directory = carry(compose([*overrides, f"paths.outputs={flags.outputs}"]))
        print(f"run: {directory}", flush=True)
        return directory

    folder = reproduce(
        paper=flags.paper, scale=flags.scale, seeds=flags.seeds, claims=flags.claims, run=run, outputs=flags.outputs
    )
    print(f"report: {folder / 'index.html'}")
    return 0


def _check_paper(paper: str | None) -> None:
    papers = sorted(file.parent.name for file in experiments_root().glob("*/claims.yaml"))
    if paper is None:
        raise AssayError(f"assay reproduce: which paper? ({did_you_mean('', papers)})")
    if paper not in papers:
        raise AssayError(f"{paper}: unknown paper ({did_you_mean(paper, papers)})")
