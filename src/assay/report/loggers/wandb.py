"""logger=wandb."""

from __future__ import annotations

import netrc
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from assay.config.limits import not_empty
from assay.errors import InputError
from assay.report.loggers.logger import Logger
from assay.report.reading import RunRecord

_SECONDS = 5.0  # a server that does not answer in this time is not reachable


@dataclass(frozen=True)
class WeightsAndBiases(Logger):
    """Config, metrics in the run's summary, tables and images; offline it needs no account.

    `arguments` are further ones of wandb.init, e.g. {entity: my_team, tags: [adult]}.
    """

    name: str = "wandb"
    save_dir: Annotated[str, not_empty("a folder")] = "outputs/logs/wandb"
    project: Annotated[str, not_empty("e.g. logger.project=assay")] = "assay"
    mode: Literal["offline", "online"] = "offline"
    arguments: dict[str, Any] = field(default_factory=dict)

    def check_machine(self) -> None:
        """Raises InputError, before the work, where online mode has no account or no server that answers."""
        if self.mode == "offline":
            return
        address = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai"))
        host = address.hostname or ""
        if not os.environ.get("WANDB_API_KEY") and not _has_login(host):
            raise InputError("logger.mode", self.mode, f"no account for {host}", "wandb login, or logger.mode=offline")
        if any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")):
            return  # whether a proxy reaches the server is seen when the run is sent
        try:
            socket.create_connection((host, address.port or 443), timeout=_SECONDS).close()
        except OSError as error:
            raise InputError("logger.mode", self.mode, f"{host} does not answer", "use logger.mode=offline") from error

    def send(self, record: RunRecord) -> None:
        """Writes one W&B run; its id is the run's fingerprint, so publishing again adds to the same one."""
        import wandb
        from pytorch_lightning.loggers import WandbLogger

        run = self._open(record)
        try:
            logger = WandbLogger(experiment=run)
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

    def _open(self, record: RunRecord) -> Any:
        """The W&B run to write to; it leaves the terminal, the repository and the machine alone.

        Left to Lightning's logger, wandb.init is called with an argument that it warns about on every run.
        """
        import wandb

        Path(self.save_dir).mkdir(parents=True, exist_ok=True)  # else W&B writes to a temporary folder
        silent = self.mode == "offline"  # online, the address of the run is worth a line
        settings = wandb.Settings(silent=silent, console="off", disable_git=True, x_disable_stats=True)
        options = {"name": record.name, "project": self.project, "mode": self.mode, **self.arguments}
        return wandb.init(dir=self.save_dir, id=record.fingerprint, resume="allow", settings=settings, **options)


def _has_login(host: str) -> bool:
    """True where `wandb login` has left a key for a server."""
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
