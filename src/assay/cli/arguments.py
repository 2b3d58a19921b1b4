"""Flags of the commands that hydra does not read; a wrong one ends in one line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from assay.config.suggest import nearest
from assay.errors import AssayError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises AssayError instead of printing its usage."""

    def __init__(self, command: str) -> None:
        super().__init__(prog=f"assay {command}", add_help=False, allow_abbrev=False)
        self._command = command

    def error(self, message: str) -> NoReturn:
        """Raises the one line."""
        raise AssayError(f"assay {self._command}: {message} (see assay {self._command} --help)")

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """The flags of a command; an unknown one names the nearest."""
        namespace, unknown = self.parse_known_intermixed_args(list(argv))
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            near = nearest(unknown[0], flags)
            self.error(f"{unknown[0]}: unknown" + (f", did you mean {near}?" if near else ""))
        return namespace


def add_outputs(parser: Parser) -> None:
    """--outputs, with the default that conf/paths has."""
    parser.add_argument("--outputs", type=_folder, default=_folder(os.environ.get("ASSAY_OUTPUTS", "outputs")))


def add_data(parser: Parser) -> None:
    """--data, with the default that conf/paths has."""
    parser.add_argument("--data", type=_folder, default=_folder(os.environ.get("ASSAY_DATA", "~/.cache/assay")))


def _folder(text: str) -> Path:
    return Path(text).expanduser()
