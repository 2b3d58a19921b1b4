"""logger=csv."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from assay.config.limits import not_empty
from assay.report.loggers.logger import Logger
from assay.report.reading import RunRecord


@dataclass(frozen=True)
class CsvLogger(Logger):
    """Metrics and hyperparameters by Lightning's CSVLogger, each table as a file beside them."""

    name: str = "csv"
    save_dir: Annotated[str, not_empty("a folder")] = "outputs/logs/csv"

    def send(self, record: RunRecord) -> None:
        """Writes hparams.yaml, metrics.csv and <table>.csv; figures stay in the run directory."""
        from pytorch_lightning.loggers import CSVLogger

        logger = CSVLogger(self.save_dir, name=record.name, version=record.fingerprint)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Experiment logs directory")  # publishing again replaces, as it should
            logger.log_hyperparams(dict(record.config))
        logger.log_metrics(dict(record.metrics), step=0)
        logger.save()
        for name in record.tables:
            table = record.table(name)
            if table is not None:
                table.to_csv(Path(logger.log_dir) / f"{name}.csv", index=False)
