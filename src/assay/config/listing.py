"""The groups, their options and the experiments, each with the line its file begins with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.config.locations import conf_root

_PACKAGE_LINE = "# @package"


def groups(root: Path | None = None) -> dict[str, list[str]]:
    """Group -> its options, both in order of name; experiments are no group."""
    root = root or conf_root()
    folders = sorted(folder for folder in root.iterdir() if folder.is_dir() and folder.name != "experiment")
    return {folder.name: [name for name, _ in options(folder.name, root)] for folder in folders}


def options(group: str, root: Path | None = None) -> list[tuple[str, str]]:
    """Name and first comment of each option of a group, nested ones by their path."""
    folder = (root or conf_root()) / group
    entries = []
    for file in sorted(folder.rglob("*.yaml")):
        name = file.relative_to(folder).with_suffix("").as_posix()
        if not any(part.startswith("_") for part in name.split("/")):
            entries.append((name, description(file.read_text(encoding="utf-8").splitlines())))
    return entries


def shipped(group: str) -> list[str]:
    """Names of the options of a group that ship with assay."""
    return [name for name, _ in options(group)]


def experiments(root: Path | None = None) -> list[tuple[str, str]]:
    """Name and first comment of each shipped experiment, those of papers after those at the top."""
    return sorted(options("experiment", root), key=lambda entry: (entry[0].count("/"), entry[0]))


def defaults(root: Path | None = None) -> dict[str, str]:
    """Group -> the option taken when none is named."""
    lines = ((root or conf_root()) / "config.yaml").read_text(encoding="utf-8").splitlines()
    pairs = (
        line.partition("#")[0].strip()[2:].partition(":") for line in lines if line.startswith("  - ") and ":" in line
    )
    return {group: option.strip() for group, _, option in pairs if " " not in group}


def description(lines: Iterable[str]) -> str:
    """The first comment line that is not hydra's own; empty when there is none."""
    for line in lines:
        if line.startswith(_PACKAGE_LINE):
            continue
        return line[1:].strip() if line.startswith("#") else ""
    return ""
