"""Hydra's flags on the line of `assay run`, refused in one line where hydra's own answer is a page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from assay.config.suggest import nearest
from assay.errors import AssayError, InputError

_SHORT = ("-h", "-c", "-p", "-r", "-m", "-s", "-i")
_WITH_VALUE = ("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd")
_LONG = (
    "--help",
    "--hydra-help",
    "--version",
    "--cfg",
    "--resolve",
    "--package",
    "--run",
    "--multirun",
    "--shell-completion",
    "--config-path",
    "--config-name",
    "--config-dir",
    "--experimental-rerun",
    "--info",
)
# folders and modes of hydra's own, where a run directory follows from the config alone
_TAKEN = ("hydra.run", "hydra.sweep", "hydra.job.chdir", "hydra.output_subdir", "hydra.mode")


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Hydra's flags; raises AssayError for one that hydra does not have, or whose value is missing or wrong."""
    from hydra._internal.utils import get_args_parser

    _check_flags(arguments)
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise AssayError(f"assay run: {message.removeprefix('argument ')} (see assay run --help)")

    parser.error = refuse  # type: ignore[method-assign]
    flags = parser.parse_args(list(arguments))
    if flags.config_dir is not None and not Path(flags.config_dir).is_dir():
        limit = f"Additional config directory '{flags.config_dir}' not found"
        raise AssayError(f"--config-dir={flags.config_dir}: {limit} (give a folder with a folder for each group)")
    asked = [flags.run, flags.multirun, flags.cfg, flags.info, flags.shell_completion]
    if sum(map(bool, asked)) > 1:
        raise AssayError("assay run: -m, --cfg, --info and --shell-completion exclude each other (give one of them)")
    return flags


def check_overrides(overrides: Sequence[str]) -> None:
    """Raises InputError for a key of hydra's that would move what a run leaves."""
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if any(key == taken or key.startswith(f"{taken}.") for taken in _TAKEN):
            if key == "hydra.mode":
                raise InputError(key, value, "is not for a command line", "-m makes a sweep")
            raise InputError(key, value, "runs lie below paths.outputs", "use paths.outputs=FOLDER")


def with_config_dir(flags: argparse.Namespace) -> list[str]:
    """The overrides of a line, and its --config-dir in the form of one."""
    if flags.config_dir is None:
        return list(flags.overrides)
    return [*flags.overrides, f"hydra.searchpath=[file://{Path(flags.config_dir).absolute()}]"]


def overrides_first(argv: Sequence[str]) -> list[str]:
    """Overrides before flags: hydra's parser takes no override after a flag that came after an override."""
    overrides: list[str] = []
    flags: list[str] = []
    for place, argument in enumerate(argv):
        before = argv[place - 1] if place else ""
        is_value = before in _WITH_VALUE or (before in ("--info", "-i") and "=" not in argument)
        (flags if is_value or argument.startswith("-") else overrides).append(argument)
    return [*overrides, *flags]


def _check_flags(arguments: Sequence[str]) -> None:
    for argument in arguments:
        flag = argument.partition("=")[0]
        known = flag[:2] in _SHORT if not flag.startswith("--") else any(name.startswith(flag) for name in _LONG)
        if flag.startswith("-") and not known:
            near = nearest(flag, _LONG)
            remedy = f"did you mean {near}?" if near else "assay run --help shows the flags"
            raise AssayError(f"{flag}: unknown flag ({remedy})")
