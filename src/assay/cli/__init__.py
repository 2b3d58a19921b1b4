"""The command line: finds the command, turns errors into one line and an exit status; imports nothing heavy itself."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from assay.errors import AssayError

COMMANDS = ("run", "list", "explain", "results", "report", "data", "reproduce")


def main(argv: Sequence[str] | None = None) -> int:
    """Carries out one command and returns its exit status: 0, 1 (failed), 2 (asked wrongly), 130 (interrupted)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except AssayError as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted (the same command goes on from the last checkpoint)", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `assay list | head` has read enough
        sys.stderr.close()
        return 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(failure_line(error), file=sys.stderr)
        return 1


def failure_line(error: Exception) -> str:
    """One line for an error that is no fault of the user's: what it is and where its traceback is."""
    where = "; ".join([*getattr(error, "__notes__", []), "HYDRA_FULL_ERROR=1 shows it here"])
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({where})"


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        from assay.cli.help import PROGRAM

        print(PROGRAM, end="")
        return 0
    if arguments[0] in ("-V", "--version"):
        from assay import __version__

        print(f"assay {__version__}")
        return 0
    if arguments[0] in ("-sc", "--shell-completion"):  # what hydra's completion scripts call
        arguments = ["run", *arguments]
    command, *rest = arguments
    if command not in COMMANDS:
        from assay.config.suggest import did_you_mean

        raise AssayError(f"{command}: unknown command ({did_you_mean(command, COMMANDS, 'assay ')})")
    if any(argument in ("-h", "--help") for argument in rest):
        from assay.cli.help import PAGES

        print(PAGES[command], end="")
        return 0
    status: int = importlib.import_module(f"assay.cli.commands.{command}").main(rest)
    return status
