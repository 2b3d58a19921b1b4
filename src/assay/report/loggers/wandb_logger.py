"""Weights & Biases: config, metrics in the run's summary, tables and images; offline it needs no account."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.report.reading import RunRecord

# Arguments of Lightning's logger that wandb.init does not know.
LIGHTNING = {"save_dir", "version", "offline", "log_model", "prefix", "checkpoint_name", "add_file_policy"}


def arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The W&B run that the logger is to write to; it leaves the terminal, the repository and the machine alone.

    Left to Lightning's logger, wandb.init is called with an argument that it warns about on every run.
    """
    import wandb

    folder = Path(given["save_dir"])
    folder.mkdir(parents=True, exist_ok=True)  # else W&B writes to a temporary folder
    options = {key: value for key, value in given.items() if key not in LIGHTNING}
    if given.get("offline"):
        options["mode"] = "offline"
    silent = options.get("mode") == "offline"  # online, the address of the run is worth a line
    settings = wandb.Settings(silent=silent, console="off", disable_git=True, x_disable_stats=True)
    run = wandb.init(dir=str(folder), id=given["version"], resume="allow", settings=settings, **options)
    return {"experiment": run}


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
        run.finish()
