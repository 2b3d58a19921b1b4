"""The command line: finds the command, turns errors into one line and an exit status; imports nothing heavy itself."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from assay.errors import AssayError

COMMANDS = ("run", "list", "explain", "results", "report", "data", "reproduce")


def main(argv: Sequence[str] | None = None) -> int:
    """Carries out one command and returns its exit status.

    0, 1 (failed), 2 (asked wrongly), 130 (interrupted), 129 and 143 (ended by SIGHUP or SIGTERM).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    received: list[int] = []
    try:
        with _ending_signals(received):
            return _dispatch(arguments)
    except AssayError as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return _stopped(received)
    except BrokenPipeError:  # `assay list | head` has read enough
        sys.stderr.close()
        return 0
    except SystemExit as leaving:
        if received or isinstance(leaving.__context__, KeyboardInterrupt):  # which Lightning turns into an exit
            return _stopped(received)
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(failure_line(error), file=sys.stderr)
        return 1


def _stopped(received: Sequence[int]) -> int:
    """Says that a signal ended the command, and returns the exit status that a shell gives to it."""
    number = received[0] if received else signal.SIGINT
    what = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    print(f"{what} (the same command goes on from the last checkpoint)", file=sys.stderr)
    return 128 + number


@contextmanager
def _ending_signals(received: list[int]) -> Iterator[None]:
    """Ends the work in order on SIGTERM and SIGHUP: workers go, checkpoints stay, the status says so."""

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        received.append(number)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    ours = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def failure_line(error: Exception) -> str:
    """One line for an error: a user's own as it is, any other with its kind and the place of its traceback."""
    if isinstance(error, AssayError):
        return str(error)
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
