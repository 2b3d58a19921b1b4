"""Worker processes that end with their parent, and a killed one in one line."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from assay.errors import StoppedError

_PARENT_SECONDS = 0.5  # how often a worker looks whether its parent still lives


def in_workers(count: int, calls: Iterable[Any], *, ordered: bool = True) -> Iterator[Any]:
    """Results of joblib's delayed `calls`, computed by `count` processes, in their order or as they come.

    No worker outlives this process by more than a second, however it ends. Raises StoppedError for a worker that was
    killed, and whatever a call raises.
    """
    from joblib import Parallel

    form = "generator" if ordered else "generator_unordered"
    work = Parallel(count, backend="loky", return_as=form, initializer=end_with, initargs=(os.getpid(),))
    try:
        yield from work(calls)
    except BrokenProcessPool as error:
        limit = "a worker process was killed, as a machine does that runs out of memory"
        remedy = "the same command goes on; fewer workers need less memory"
        raise StoppedError(f"workers={count}: {limit} ({remedy})") from error


@functools.cache
def end_with(parent: int) -> None:
    """Ends this process soon after its parent, the process `parent`; nothing is done in a process of another parent."""
    if os.getppid() != parent:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
