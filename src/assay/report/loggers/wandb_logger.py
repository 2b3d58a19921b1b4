"""Weights & Biases: config, metrics in the run's summary, tables and images; offline it needs no account."""

from __future__ import annotations

from typing import Any

from assay.report.reading import RunRecord


def send(logger: Any, record: RunRecord) -> None:
    """Writes one W&B run; its id is the run's fingerprint, so publishing again adds to the same one."""
    import wandb

    run = logger.experiment
    try:
        logger.log_hyperparams(dict(record.config))
        media: dict[str, Any] = {
            f"table/{name}": wandb.Table(dataframe=table)
            for name in record.tables
            if (table := record.table(name)) is not None
        }
        media |= {f"figure/{file.stem}": wandb.Image(str(file)) for file in record.figures}
        logger.log_metrics({**record.metrics, **media})
    finally:
        run.finish(quiet=True)
