"""A progress bar with the time left on a terminal, and a line on long work everywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from assay.runs.forecast import Forecast, say_if_long

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Handle:
    """One piece of counted work; `advance` it, or use it in a `with` block that completes it."""

    def __init__(
        self, bars: Bars | None, task: TaskID | None, tick: Callable[[], None] | None, forecast: Forecast | None = None
    ) -> None:
        self._bars, self._task, self._tick, self._forecast = bars, task, tick, forecast

    def advance(self, steps: float = 1) -> None:
        """Counts further steps as done."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, steps)
        if self._forecast is not None:
            self._forecast.advance(steps)
        if self._tick is not None:
            self._tick()

    def close(self) -> None:
        """Takes the bar away."""
        if self._bars is not None and self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Progress:
    """Bars on stderr when it is a terminal, and a line on long work, where `wanted`; `tick` is called at every advance."""

    def __init__(self, wanted: bool = True, tick: Callable[[], None] | None = None) -> None:
        self._wanted, self._shown, self._tick = wanted, wanted and sys.stderr.isatty(), tick
        self._bars: Bars | None = None

    def task(self, description: str, total: float | None = None) -> Handle:
        """Opens a bar of `total` steps (None: unknown)."""
        forecast = Forecast(description, total, self._say) if self._wanted else None
        if not self._shown:
            return Handle(None, None, self._tick, forecast)
        if self._bars is None:
            self._bars = _open_bars()
        return Handle(self._bars, self._bars.add_task(description, total=total), self._tick, forecast)

    def expect(self, description: str, seconds: float) -> None:
        """Says how long work is going to take, where it is long."""
        if self._wanted:
            say_if_long(f"{description}: about {{}}", seconds, self._say)

    def _say(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Takes every bar away and gives the terminal back."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def _open_bars() -> Bars:
    from rich import progress
    from rich.console import Console

    bars = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(elapsed_when_finished=False),
        console=Console(stderr=True),
        transient=True,
    )
    bars.start()
    return bars
