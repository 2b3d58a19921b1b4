"""Long work in parts: each is saved as soon as it is done and read back after a kill; any number of processes computes them."""

from __future__ import annotations

import io
import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import numpy as np

from assay.errors import AssayError
from assay.processes import in_workers
from assay.runs.directory import remove, write_atomically

Item = TypeVar("Item")
Work = Callable[[Item], Mapping[str, Any]]

_BLOCKS = 8  # blocks of items for each worker: `work` is sent once a block, and no worker ends long before the others
# whatever reading a changed npz file ends in: its checksums, its names, its flags
_DAMAGE = (ValueError, KeyError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)
_PLAIN = "plain"  # the entry of a saved part that lists the names, and the values that are no arrays, as JSON


@dataclass(frozen=True)
class Parts:
    """A folder of saved parts (None: nothing is saved) and a number of processes.

    A saved part whose bytes have changed is computed again; where it holds noise that nobody can draw again (not `mends`),
    it ends the run instead.

    Sent to another process it has one worker: workers start no workers.

    >>> [part["square"] for part in Parts().map("squares", lambda number: {"square": number**2}, [1, 2, 3])]
    [1, 4, 9]
    """

    folder: Path | None = None
    workers: int = 1
    mends: bool = True
    _purposes: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __reduce__(self) -> tuple[type[Parts], tuple[Path | None, int, bool]]:
        return Parts, (self.folder, 1, self.mends)

    def within(self, name: str) -> Parts:
        """The parts of one piece of work, in a folder below this one: its purposes meet nobody else's."""
        inner = Parts(None if self.folder is None else self.folder / quote(name, safe=" "), self.workers, self.mends)
        object.__setattr__(inner, "_purposes", self._purposes)
        return inner

    def file(self, name: str) -> Path | None:
        """Place of a checkpoint that outlives a kill and goes with the parts; None where nothing is saved."""
        if self.folder is None:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / quote(name, safe=" ")

    def map(
        self,
        purpose: str,
        work: Work[Item],
        items: Iterable[Item],
        *,
        cost: Callable[[Item], float] | None = None,
        advance: Callable[[int], object] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yields work(item) for each item, in the order of the items.

        A result maps names to numpy arrays (no objects), numbers, text or JSON, and comes back as such. A saved one is read
        back and not computed again, so that `work` must depend on the item alone, and a purpose stands for one list of items.
        With several workers the items of highest `cost` come first and `work` must be picklable; the numbers are the same
        if those of `work` depend neither on the process nor on its threads. `advance` is called with each item's cost
        (1 without `cost`) as soon as it is done. Raises ValueError for a purpose that was used before, StoppedError for a
        worker that was killed, and whatever `work` raises: results that were done by then stay saved.
        """
        if self.folder is not None:
            self._take(purpose)
        return self._results(purpose, work, list(items), cost, advance or (lambda steps: None))

    def _take(self, purpose: str) -> None:
        name = f"{self.folder}/{purpose}"
        if name in self._purposes:
            raise ValueError(
                f"parts for the purpose {purpose!r} exist already in {self.folder}: use another, or within()"
            )
        self._purposes.add(name)

    def _results(
        self,
        purpose: str,
        work: Work[Item],
        items: list[Item],
        cost: Callable[[Item], float] | None,
        advance: Callable[[int], object],
    ) -> Iterator[dict[str, Any]]:
        costs = [1.0 if cost is None else float(cost(item)) for item in items]
        jobs = [_Job(place, item, self.file(f"{purpose}-{place}.npz")) for place, item in enumerate(items)]
        missing = {job.place for job in jobs if job.path is None or not job.path.exists()}
        for job in jobs:
            if job.place not in missing:
                advance(round(costs[job.place]))
        fresh = self._fresh(work, [jobs[place] for place in sorted(missing)], costs, cost is not None)
        unread: dict[int, bytes] = {}
        for job in jobs:
            while job.place in missing:
                place, content = next(fresh)
                missing.remove(place)
                if content is not None:
                    unread[place] = content
                advance(round(costs[place]))
            yield _decoded(unread.pop(job.place)) if job.place in unread else self._read(job, work)

    def _read(self, job: _Job[Item], work: Work[Item]) -> dict[str, Any]:
        """A saved part, computed again where its file is damaged."""
        assert job.path is not None
        try:
            return _decoded(job.path.read_bytes())
        except _DAMAGE as error:
            if not self.mends:
                raise AssayError(
                    f"{job.path}: damaged ({type(error).__name__}); its noise cannot be drawn again"
                    " (put a copy in its place, or remove the run's folder and pay for a new release)"
                ) from error
            print(f"{job.path}: damaged ({type(error).__name__}); computed again", file=sys.stderr, flush=True)
            remove(job.path)
            return _decoded(job.carry_out(work))

    def _fresh(
        self, work: Work[Item], jobs: list[_Job[Item]], costs: Sequence[float], by_cost: bool
    ) -> Iterator[tuple[int, bytes | None]]:
        """Place of each job that has just been done, and its content unless that lies in the job's file."""
        if self.workers == 1 or len(jobs) < 2:
            yield from ((job.place, job.carry_out(work)) for job in jobs)
            return
        from joblib import delayed

        count = min(_BLOCKS * self.workers, len(jobs))
        if by_cost:
            jobs = sorted(jobs, key=lambda job: -costs[job.place])
            blocks = [jobs[start::count] for start in range(count)]
        else:
            bounds = np.linspace(0, len(jobs), count + 1).astype(int).tolist()
            blocks = [jobs[start:end] for start, end in pairwise(bounds)]
        for done in in_workers(self.workers, (delayed(_carry_out)(work, block) for block in blocks), ordered=False):
            yield from done


@dataclass(frozen=True)
class _Job(Generic[Item]):
    """One item, its place, and the file of its result."""

    place: int
    item: Item
    path: Path | None

    def carry_out(self, work: Work[Item]) -> bytes:
        """Content of the result, saved if it has a file."""
        content = _encoded(work(self.item))
        if self.path is not None:
            write_atomically(self.path, content)
        return content


def _carry_out(work: Work[Item], block: Sequence[_Job[Item]]) -> list[tuple[int, bytes | None]]:
    """A block in a worker, which saves its results: neither a killed parent nor a failing neighbour loses what is done."""
    done: list[tuple[int, bytes | None]] = []
    for job in block:
        content = job.carry_out(work)
        done.append((job.place, content if job.path is None else None))
    return done


def _encoded(result: Mapping[str, Any]) -> bytes:
    """An npz file of the arrays, by their place, and of all else as JSON: equal results give equal bytes."""
    arrays = {str(place): value for place, value in enumerate(result.values()) if isinstance(value, np.ndarray)}
    plain = [None if isinstance(value, np.ndarray) else _plain(value) for value in result.values()]
    sink = io.BytesIO()
    np.savez(sink, allow_pickle=False, **{_PLAIN: np.asarray(json.dumps([list(result), plain]))}, **arrays)
    return sink.getvalue()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _decoded(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as saved:
        names, plain = json.loads(str(saved[_PLAIN]))
        values = [saved.get(str(place), value) for place, value in enumerate(plain)]
    return dict(zip(names, values, strict=True))
