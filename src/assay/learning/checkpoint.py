"""State on disk that is either whole or not there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from assay.runs.directory import write_atomically


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors, numbers, strings and nested dicts and lists of them, atomically."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path | None) -> dict[str, Any] | None:
    """The state at `path`, its tensors on the processor; None when there is none. No code in it is run."""
    if path is None or not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state
