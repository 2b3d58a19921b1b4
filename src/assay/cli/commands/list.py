"""The command `assay list`."""

from __future__ import annotations

from collections.abc import Sequence

from assay.cli.arguments import Parser
from assay.config import listing
from assay.config.suggest import did_you_mean
from assay.errors import AssayError
from assay.figures.tables import print_terms


def main(argv: Sequence[str]) -> int:
    """Prints the options of every group, or of one."""
    parser = Parser("list")
    parser.add_argument("group", nargs="?")
    wanted = parser.parse(argv).group
    groups = [*listing.groups(), "experiments"]
    if wanted == "experiment":
        wanted = "experiments"
    if wanted is not None and wanted not in groups:
        raise AssayError(f"{wanted}: unknown group ({did_you_mean(wanted, groups, 'assay list ')})")
    chosen = listing.defaults()
    for group in [wanted] if wanted else groups:
        if not wanted:
            print(group)
        entries = listing.experiments() if group == "experiments" else listing.options(group)
        marked = [(f"{'*' if name == chosen.get(group) else ' '} {name}", text) for name, text in entries]
        print_terms(marked, "" if wanted else "  ")
        if not wanted:
            print()
    return 0
