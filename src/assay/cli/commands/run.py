"""The command `assay run`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assay.cli.flags import check_overrides, overrides_first, parsed, with_config_dir
from assay.config.locations import conf_root
from assay.errors import AssayError

if TYPE_CHECKING:
    from omegaconf import DictConfig

_TRACEBACK = "ASSAY_TRACEBACK"


def main(argv: Sequence[str]) -> int:
    """Hands overrides and flags to hydra, which composes the config and calls `job`; a sweep is ours."""
    import hydra

    from assay.config.compose import register_resolvers
    from assay.config.overrides import readable

    register_resolvers()
    arguments = [readable(argument) for argument in overrides_first(argv)]
    flags = parsed(arguments)
    check_overrides(flags.overrides)
    statuses: list[int] = []

    def job(composed: DictConfig) -> None:
        statuses.append(carry_job(composed, argv))  # hydra would add lines of its own to an exception

    if flags.shell_completion:
        _drop_command_from_completion()
    with _hydra_environment(arguments):
        try:
            if flags.multirun and not (flags.config_name or flags.config_path):
                from assay.cli.sweep import sweep

                return sweep(with_config_dir(flags))
            hydra.main(config_path=str(conf_root()), config_name="config", version_base="1.3")(job)()
        except Exception as error:
            if _wants_traceback() or isinstance(error, AssayError):
                raise
            from assay.config.explain import explain

            raise explain(error, with_config_dir(flags)) from error
    return max(statuses, default=0)


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
    except BrokenPipeError:  # `assay run | head` has read enough; hydra would speak of an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if _wants_traceback():
            raise
        if isinstance(error, AssayError):
            from assay.cli.mending import words_of

            print(words_of(error, argv), file=sys.stderr)
            return error.status
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


def _drop_command_from_completion() -> None:
    """Hydra's scripts complete `assay key=...`; our line reads `assay run key=...`."""
    line = os.environ.get("COMP_LINE", "")
    program, _, rest = line.partition(" run ")
    if rest or line.endswith(" run "):
        os.environ["COMP_LINE"] = f"{program} {rest}"
