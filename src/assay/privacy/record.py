"""An append-only list of facts, saved as JSON lines that survive a kill."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Record:
    """Entries in the order in which they were added; with a path, a file of JSON lines with the same.

    The file is opened for the first entry, and is then cut back to the entries that this record knows: those of the
    checkpoint that was loaded, or none. So a killed and resumed run ends with the bytes of an undisturbed one.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lines: list[str] = []
        self._in_step = False

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Every entry, oldest first."""
        return [json.loads(line) for line in self._lines]

    def append(self, entry: dict[str, Any]) -> None:
        """Adds one entry; with a path, it is on disk when this returns.

        Raises ValueError, with nothing added, for an entry that is not JSON (NaN and infinity are not).
        """
        line = json.dumps(entry, sort_keys=True, allow_nan=False) + "\n"
        if self.path is not None:
            self._cut_back(self.path)
            with self.path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        self._lines.append(line)

    def state_dict(self) -> dict[str, Any]:
        """The entries, for a checkpoint."""
        return {"lines": list(self._lines)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the entries of a checkpoint and cuts the file back to them.

        Raises ValueError, with nothing changed, when the file does not start with those entries: it is another run's.
        """
        known = "".join(state["lines"]).encode()
        if self.path is not None and self.path.exists():
            stored = self.path.read_bytes()
            # a file that is shorter was lost or left behind when the run was moved: the checkpoint restores it
            if not stored.startswith(known) and not known.startswith(stored):
                raise ValueError(f"{self.path}: holds the record of another run (move it away, or resume that run)")
        self._lines, self._in_step = list(state["lines"]), False
        if self.path is not None:
            self._cut_back(self.path)

    def _cut_back(self, path: Path) -> None:
        if self._in_step:
            return
        known = "".join(self._lines).encode()
        stored = path.read_bytes() if path.exists() else None
        if stored is not None and stored.startswith(known):
            os.truncate(path, len(known))
        else:
            partial = path.with_name(f".{path.name}.partial")
            partial.write_bytes(known)
            partial.replace(path)
        with path.open("ab") as file:
            os.fsync(file.fileno())
        self._in_step = True
