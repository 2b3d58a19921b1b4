"""logger=tensorboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from assay.config.limits import not_empty
from assay.report.loggers.logger import Logger
from assay.report.reading import RunRecord

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 200  # TensorBoard draws a text as one page


@dataclass(frozen=True)
class TensorBoard(Logger):
    """Metrics as scalars, tables as Markdown text, figures as images."""

    name: str = "tensorboard"
    save_dir: Annotated[str, not_empty("a folder")] = "outputs/logs/tensorboard"

    def send(self, record: RunRecord) -> None:
        """Writes one event file for the run; that of an earlier publication is replaced."""
        from matplotlib.image import imread
        from pytorch_lightning.loggers import TensorBoardLogger

        logger = TensorBoardLogger(self.save_dir, name=record.name, version=record.fingerprint, default_hp_metric=False)
        for stale in Path(logger.log_dir).glob("events.out.tfevents.*"):
            stale.unlink()
        logger.log_hyperparams(dict(record.config))
        logger.log_metrics(dict(record.metrics), step=0)
        writer = logger.experiment
        for name in record.tables:
            table = record.table(name)
            if table is not None:
                writer.add_text(f"table/{name}", markdown(table), global_step=0)
        for file in record.figures:
            writer.add_image(f"figure/{file.stem}", imread(file)[..., :3], global_step=0, dataformats="HWC")
        logger.finalize("success")


def markdown(table: pd.DataFrame) -> str:
    """A table in Markdown, cut off after SHOWN_ROWS rows with a line that says so."""
    lines = [_line(table.columns), _line("---" for _ in table.columns)]
    lines += [_line(row) for row in table.head(SHOWN_ROWS).itertuples(index=False)]
    text = "\n".join(lines)
    return text if len(table) <= SHOWN_ROWS else f"{text}\n\nThe first {SHOWN_ROWS} of {len(table)} rows."


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
