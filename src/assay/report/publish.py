"""Sends a finished run to the logger that was chosen."""

from __future__ import annotations

from pathlib import Path

from assay.errors import AssayError
from assay.report.loggers.logger import Logger
from assay.report.reading import read_run


def publish(directory: Path, logger: Logger) -> None:
    """Sends hyperparameters, metrics, tables and figures of a finished run to a logger, as far as it can take them.

    The logger's run is named after the experiment and versioned by the fingerprint, so publishing twice does not make two.
    Raises AssayError for a run that is not finished and for a logger that cannot be set up or written to.
    """
    record = read_run(directory)
    try:
        logger.send(record)
    except Exception as error:  # whatever a third-party logger raises, the run itself is safe
        said = (str(error).splitlines() or [""])[0]
        name = getattr(logger, "name", type(logger).__name__)
        reason = f"{type(error).__name__}: {said}"
        raise AssayError(f"logger={name}: the run is finished, but could not be published ({reason})") from error
