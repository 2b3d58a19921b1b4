"""Sends a finished run to the logger that the config chose."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from assay.errors import AssayError
from assay.report.reading import RunRecord, read_run

ADAPTERS = {"CSVLogger": "csv_logger", "TensorBoardLogger": "tensorboard_logger", "WandbLogger": "wandb_logger"}


def publish(directory: Path, logger: Mapping[str, Any] | None) -> None:
    """Sends hyperparameters, metrics, tables and figures of a finished run to a logger, as far as it can take them.

    `logger` is the composed group: `_target_` names a Lightning logger, the other keys are its arguments; its run is
    named after the experiment and versioned by the fingerprint, so publishing twice does not make two. Without a
    `_target_` (logger=none) nothing happens. A logger that assay has no adapter for gets hyperparameters and metrics.
    Raises AssayError for a run that is not finished and for a logger that cannot be set up or written to.
    """
    if not logger or not logger.get("_target_"):
        return
    record = read_run(directory)
    try:
        _send(_logger(logger, record), record)
    except AssayError:
        raise
    except Exception as error:  # whatever a third-party logger raises, the run itself is safe
        said = (str(error).splitlines() or [""])[0]
        raise AssayError(
            f"logger={logger.get('name', logger['_target_'])}: the run is finished, but could not be published"
            f" ({type(error).__name__}: {said})"
        ) from error


def _logger(logger: Mapping[str, Any], record: RunRecord) -> Any:
    module, _, name = str(logger["_target_"]).rpartition(".")
    options = {key: value for key, value in logger.items() if key not in ("name", "_target_")}
    options |= {"name": record.name, "version": record.fingerprint}
    added = getattr(_adapter(name), "arguments", None)
    return getattr(importlib.import_module(module), name)(**options, **(added(options) if added else {}))


def _adapter(name: str) -> ModuleType | None:
    return importlib.import_module(f"assay.report.loggers.{ADAPTERS[name]}") if name in ADAPTERS else None


def _send(logger: Any, record: RunRecord) -> None:
    adapter = _adapter(type(logger).__name__)
    if adapter is not None:
        adapter.send(logger, record)
        return
    logger.log_hyperparams(dict(record.config))
    logger.log_metrics(dict(record.metrics))
    logger.finalize("success")
