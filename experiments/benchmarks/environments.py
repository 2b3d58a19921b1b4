"""One environment for every peer, and processes in it that a benchmark asks for figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
REQUIREMENTS, ENVIRONMENTS = Path(__file__).parent / "peers", ROOT / ".bench"
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}


def python_of(peer: str) -> Path:
    """The interpreter of `.bench/<peer>`, which is made once and again when `peers/<peer>.txt` changes."""
    wanted = (REQUIREMENTS / f"{peer}.txt").read_text()
    folder = ENVIRONMENTS / peer
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {peer} into {folder}, a minute or two", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(REQUIREMENTS / f"{peer}.txt")], check=True)
        stamp.write_text(wanted)
    return python


class Worker:
    """A process that runs `module` in assay's environment, or in a peer's, and answers every line with one of JSON.

    `hello` is the line it starts with. `keep_memory` tells glibc to keep what is freed instead of handing it back to the
    system, so that no step pays for fresh pages.
    """

    def __init__(self, module: str, *arguments: str, peer: str | None = None, keep_memory: bool = False) -> None:
        python = sys.executable if peer is None else str(python_of(peer))
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **(KEEP_MEMORY if keep_memory else {})}
        if peer is not None:
            environment.pop("PYTHONPATH", None)  # a peer is to see its own packages alone
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self.hello: dict[str, Any] = self._read()

    def ask(self, line: str) -> Any:
        """Sends a line and waits for its answer; all other workers sleep meanwhile."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._read()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()  # the end of its input is the end of its work

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self._process.args))}: ended with {self._process.wait()}")
        return json.loads(line)
