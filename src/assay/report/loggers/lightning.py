"""logger=lightning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.config.targets import check_importable, locate
from assay.errors import InputError
from assay.report.loggers.logger import Logger

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.report.reading import RunRecord


@dataclass(frozen=True)
class LightningLogger(Logger):
    """Any logger of Lightning or with its methods, e.g. target=pytorch_lightning.loggers.MLFlowLogger.

    It is made with `arguments`, and with the name of the experiment and the fingerprint of the run as name and version.
    """

    name: str = "lightning"
    target: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    def check(self, run: Choices) -> None:
        """Raises InputError without a class, and for one that cannot be imported."""
        if self.target is None:
            limit = "needs the class of your logger"
            raise InputError("logger.target", "null", limit, "e.g. pytorch_lightning.loggers.MLFlowLogger")
        check_importable(self.target, "logger.target")

    def send(self, record: RunRecord) -> None:
        """Sends hyperparameters and metrics."""
        owner: Any = locate(self.target, "logger.target")
        logger = owner(**{"name": record.name, "version": record.fingerprint, **self.arguments})
        logger.log_hyperparams(dict(record.config))
        logger.log_metrics(dict(record.metrics))
        logger.finalize("success")
