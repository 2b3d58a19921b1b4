"""Keeps what libraries say off the terminal and in the run's log."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# libraries that bring a handler of their own, which would write to the terminal
_TALKATIVE = ("pytorch_lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric", "datasets", "wandb")


@contextmanager
def collected() -> Iterator[None]:
    """Collects log records and warnings until a run's log takes them; drops what no log took."""
    buffer = logging.handlers.MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1, flushOnClose=False)
    root = logging.getLogger()
    level = root.level
    root.addHandler(buffer)
    _hear(root)
    try:
        with _warnings_logged():
            yield
    finally:
        root.removeHandler(buffer)
        root.setLevel(level)
        buffer.close()


@contextmanager
def run_log(path: Path) -> Iterator[None]:
    """Writes log records from INFO on and warnings to a file, those collected by `collected` first."""
    file = _LogFile(path, encoding="utf-8")
    file.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, logging.handlers.MemoryHandler):
            handler.setTarget(file)
            handler.flush()
            handler.setTarget(None)
            handler.buffer.clear()
    level = root.level
    root.addHandler(file)
    _hear(root)
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers = [handler for handler in logger.handlers if not _is_terminal(handler)]
        logger.propagate = True
    try:
        with _warnings_logged():
            yield
    finally:
        root.removeHandler(file)
        root.setLevel(level)
        file.close()


class _LogFile(logging.FileHandler):
    """A log file that a full disk ends in silence: what the run itself writes next says it in one line."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drops the record."""

    def close(self) -> None:
        """Closes the file, whose last bytes a full disk may refuse."""
        with contextlib.suppress(OSError):
            super().close()


def _hear(root: logging.Logger) -> None:
    """Lets records from INFO on through to the root's handlers; hydra leaves it at ERROR."""
    root.setLevel(min(root.level, logging.INFO) if root.level else logging.INFO)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False  # hydra silences every logger that exists when a job of a sweep begins


@contextmanager
def _warnings_logged() -> Iterator[None]:
    """Sends warnings to the log; unlike logging.captureWarnings, it nests, lasts, and shows warnings to each run of a sweep."""

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
    ) -> None:
        logging.getLogger("py.warnings").warning("%s:%s: %s: %s", filename, lineno, category.__name__, message)

    with warnings.catch_warnings():  # also forgets which warnings an earlier run has had
        warnings.showwarning = show
        yield


def _is_terminal(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
