"""Where the choices (conf/) and the claims (experiments/) lie: beside an installed package, at the top of a clone."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def conf_root() -> Path:
    """The folder of config.yaml and the config groups."""
    return _beside_code_or_in_clone("conf")


def experiments_root() -> Path:
    """The folder that holds a folder with claims.yaml for each paper."""
    return _beside_code_or_in_clone("experiments")


def _beside_code_or_in_clone(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name
