"""CSV files: metrics and hyperparameters by Lightning's CSVLogger, each table as a file beside them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from assay.report.reading import RunRecord


def send(logger: Any, record: RunRecord) -> None:
    """Writes hparams.yaml, metrics.csv and <table>.csv into the logger's folder; figures stay in the run directory."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experiment logs directory")  # publishing again replaces, as it should
        logger.log_hyperparams(dict(record.config))
    logger.log_metrics(dict(record.metrics), step=0)
    logger.save()
    for name in record.tables:
        table = record.table(name)
        if table is not None:
            table.to_csv(Path(logger.log_dir) / f"{name}.csv", index=False)
