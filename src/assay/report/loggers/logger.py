"""The base class of loggers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.report.reading import RunRecord


@dataclass(frozen=True)
class Logger:
    """No logger: the run directory is the record.

    A logger of your own is a subclass with a `name` and fields of its own, and a method `send`.
    """

    name: str = "none"

    def send(self, record: RunRecord) -> None:
        """Sends hyperparameters, metrics, tables and figures of a finished run; a second time must add nothing."""
