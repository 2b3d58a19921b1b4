"""The command `assay run`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assay.config.locations import conf_root
from assay.config.suggest import nearest
from assay.errors import AssayError

if TYPE_CHECKING:
    from omegaconf import DictConfig

_TRACEBACK = "ASSAY_TRACEBACK"
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


class JobFailed(Exception):
    """A job that has said its one line already; carries the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def main(argv: Sequence[str]) -> int:
    """Hands overrides and flags to hydra, which composes the config and calls `job` for each run."""
    import hydra

    _check_flags(argv)
    from assay.config.compose import register_resolvers
    from assay.config.overrides import readable

    register_resolvers()
    arguments, here = [readable(argument) for argument in _overrides_first(argv)], os.getpid()
    statuses: list[int] = []

    def job(composed: DictConfig) -> None:
        status = carry_job(composed, argv)
        statuses.append(status)
        # hydra adds lines of its own to an exception, so it sees one only where a launcher has left this process
        if status and os.getpid() != here:
            raise JobFailed(status)

    if "-sc" in arguments or "--shell-completion" in arguments:
        _drop_command_from_completion()
    with _hydra_environment(arguments):
        try:
            if any(argument in ("-m", "--multirun") for argument in arguments):
                _charge_sweep(_overrides(arguments))
            hydra.main(config_path=str(conf_root()), config_name="config", version_base="1.3")(job)()
        except JobFailed as failure:
            return failure.status
        except Exception as error:
            if _wants_traceback() or isinstance(error, AssayError):
                raise
            from assay.config.explain import explain

            raise explain(error, _overrides(arguments)) from error
    return max(statuses, default=0)


def _charge_sweep(overrides: Sequence[str]) -> None:
    """Charges every secure release of a sweep before its first run; where the first is none, the noise is seeded."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from assay.config.compose import checked, raw
    from assay.config.explain import explained

    search = [each for each in overrides if each.startswith("hydra.")]
    with explained([]):
        parsed = OverridesParser.create().parse_overrides([each for each in overrides if each not in search])
        (batch, *_) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
        cells = (checked(raw([*cell, *search])) for cell in batch)
        from assay.experiment import charge, secure

        if secure(first := next(cells)) or any("secure_noise" in each for each in overrides):
            charge([first, *cells])


def carry_job(composed: DictConfig, argv: Sequence[str] = ()) -> int:
    """One run: checks the composed config, carries it out, prints its table and directory; returns the exit status."""
    from hydra.core.hydra_config import HydraConfig

    from assay.cli import failure_line
    from assay.config.compose import checked
    from assay.config.explain import explained

    try:
        with explained([]):
            choices = checked(composed, HydraConfig.get())
        from assay.cli.show import show
        from assay.experiment import carry, report

        run = carry(choices)
        page = report(choices, run) if choices.config["report"] else None
        show(run)
        if page is not None:
            print(f"report: {page}")
        print(f"run: {run.path}", flush=True)
    except Exception as error:
        if _wants_traceback():
            raise
        if isinstance(error, AssayError):
            from assay.cli.mending import words_of

            print(words_of(error, argv), file=sys.stderr)
            return 2
        print(failure_line(error), file=sys.stderr)
        return 1
    return 0


@contextmanager
def _hydra_environment(arguments: list[str]) -> Iterator[None]:
    """Hydra reads its arguments from sys.argv, and keeps its hands off exceptions when HYDRA_FULL_ERROR is set."""
    before = sys.argv, {name: os.environ.get(name) for name in ("HYDRA_FULL_ERROR", _TRACEBACK)}
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        os.environ[_TRACEBACK] = "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["assay", *arguments]
    asleep, level = {name for name, logger in _loggers() if logger.disabled}, logging.root.level
    try:
        yield
    finally:
        for name, logger in _loggers():  # hydra's own logging switches off every logger that there is, and the root
            logger.disabled = name in asleep
        logging.root.setLevel(level)
        sys.argv, environment = before
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _loggers() -> list[tuple[str, logging.Logger]]:
    known = logging.root.manager.loggerDict.items()
    return [(name, logger) for name, logger in known if isinstance(logger, logging.Logger)]


def _wants_traceback() -> bool:
    return os.environ.get(_TRACEBACK) == "1"


def _overrides(arguments: Sequence[str]) -> list[str]:
    """The overrides among the arguments, and a --config-dir in the form of one."""
    overrides, rest = [], iter(arguments)
    for argument in rest:
        if argument in ("--config-dir", "-cd"):
            overrides.append(f"hydra.searchpath=[file://{Path(next(rest, '.')).absolute()}]")
        elif argument.startswith("--config-dir="):
            overrides.append(f"hydra.searchpath=[file://{Path(argument.partition('=')[2]).absolute()}]")
        elif (not argument.startswith("-") and "=" in argument) or argument.startswith("~"):
            overrides.append(argument)
    return overrides


def _overrides_first(argv: Sequence[str]) -> list[str]:
    """Overrides before flags: hydra's parser takes no override after a flag that came after an override."""
    overrides: list[str] = []
    flags: list[str] = []
    for place, argument in enumerate(argv):
        before = argv[place - 1] if place else ""
        is_value = before in _WITH_VALUE or (before in ("--info", "-i") and "=" not in argument)
        (flags if is_value or argument.startswith("-") else overrides).append(argument)
    return [*overrides, *flags]


def _check_flags(arguments: Sequence[str]) -> None:
    """Raises AssayError for a flag that hydra does not have; its own answer would be a page."""
    for argument in arguments:
        flag = argument.partition("=")[0]
        known = flag[:2] in _SHORT if not flag.startswith("--") else any(name.startswith(flag) for name in _LONG)
        if flag.startswith("-") and not known:
            near = nearest(flag, _LONG)
            remedy = f"did you mean {near}?" if near else "assay run --help shows the flags"
            raise AssayError(f"{flag}: unknown flag ({remedy})")


def _drop_command_from_completion() -> None:
    """Hydra's scripts complete `assay key=...`; our line reads `assay run key=...`."""
    line = os.environ.get("COMP_LINE", "")
    program, _, rest = line.partition(" run ")
    if rest or line.endswith(" run "):
        os.environ["COMP_LINE"] = f"{program} {rest}"
