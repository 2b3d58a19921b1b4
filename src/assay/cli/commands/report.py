"""The command `assay report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.cli.arguments import Parser, add_outputs
from assay.errors import AssayError
from assay.runs.directory import RunDirectory, finished_runs


def main(argv: Sequence[str]) -> int:
    """Builds a report for each experiment among the finished runs."""
    parser = Parser("report")
    parser.add_argument("directories", nargs="*", type=Path)
    add_outputs(parser)
    flags = parser.parse(argv)
    by_name = _by_experiment(flags.directories or [flags.outputs / "runs"])
    from assay.report import build_report

    for name, directories in sorted(by_name.items()):
        print(f"report: {build_report(directories, flags.outputs / 'reports' / name, title=name)}")
    return 0


def _by_experiment(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Experiment name -> its finished runs in or below the folders; AssayError when a folder holds none."""
    by_experiment: dict[str, list[Path]] = {}
    for folder in folders:
        directories = list(finished_runs(folder)) if folder.is_dir() else []
        if not directories:
            raise AssayError(f"{folder}: holds no finished run (carry one out: assay run experiment=quickstart)")
        for directory in directories:
            name = str(RunDirectory(directory).status().get("name", directory.parent.name))
            if directory not in by_experiment.setdefault(name, []):
                by_experiment[name].append(directory)
    return by_experiment
