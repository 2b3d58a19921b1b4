"""The hash that says whether two configs ask for the same numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# What cannot change a number; everything else is part of the hash.
LEFT_OUT = frozenset(
    {
        "logger",
        "paths",
        "workers",
        "progress",
        "report",
        "hydra",
        "seeds",
        "rerun",
        "privacy.total",
        "trainer.accelerator",
        "trainer.devices",
        "trainer.checkpoint_seconds",
        "dataset.download",
        "dataset.source",
    }
)


def fingerprint(config: Mapping[str, Any], path_checksum: str | None = None, code: str | None = None) -> str:
    """16 hexadecimal digits of a resolved config; `path_checksum` stands for the bytes behind dataset.path.

    `code` is the hash of the user's modules that the config names (`sources_of_config`): an edited method is another one.

    Where a file lies does not change a number and its content does, so the path itself is left out as soon as
    its checksum is given. 8 and 8.0 are the same number.
    """
    content = _counted(config, "")
    if path_checksum is not None:
        content["dataset"] = {**content.get("dataset", {}), "path": f"sha256:{path_checksum}"}
    if code is not None:
        content["code"] = code
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _counted(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        str(key): _counted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else _canonical(value)
        for key, value in config.items()
        if f"{prefix}{key}" not in LEFT_OUT
    }


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _canonical(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
