"""The command `assay list`."""

from __future__ import annotations

from collections.abc import Sequence

from assay.cli.arguments import Parser
from assay.config import listing
from assay.config.suggest import did_you_mean
from assay.errors import AssayError


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
        for line in _lines(entries, chosen.get(group)):
            print(line if wanted else f"  {line}")
        if not wanted:
            print()
    return 0


def _lines(entries: list[tuple[str, str]], default: str | None) -> list[str]:
    width = max((len(name) for name, _ in entries), default=0)
    return [f"{'*' if name == default else ' '} {name.ljust(width)}  {text}".rstrip() for name, text in entries]
