"""The software that carried out a run."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "assay",
    "torch",
    "pytorch-lightning",
    "opacus",
    "numpy",
    "scipy",
    "scikit-learn",
    "xgboost",
    "pandas",
    "pyarrow",
    "datasets",
    "hydra-core",
)


def versions() -> dict[str, str]:
    """Versions of python and of the main packages that are installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def commit() -> str | None:
    """Commit of the clone that the code runs from, `-dirty` when files differ from it; None for an installed wheel."""
    clone = Path(__file__).resolve().parents[3]
    if not (clone / ".git").exists() or not (clone / "pyproject.toml").is_file():
        return None
    command = ["git", "-C", str(clone), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
