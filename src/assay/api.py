"""assay from Python: the same runs as from the shell, with frames, arrays and live estimators in place of files and names."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config.choices import Choices
from assay.config.compose import compose
from assay.config.targets import Live
from assay.errors import InputError
from assay.experiment import carry
from assay.runs.objects import fingerprint_of_object

if TYPE_CHECKING:
    import pandas as pd

    from assay.runs.directory import RunDirectory

TARGET = "target"  # the name of a target that comes without one


@dataclass(frozen=True, eq=False)
class Result:
    """Metrics, tables and status of a finished run; `directory` is None where nothing was to be written."""

    metrics: Mapping[str, float]
    tables: Mapping[str, pd.DataFrame]
    status: Mapping[str, Any]
    directory: Path | None = None

    @property
    def values(self) -> pd.DataFrame:
        """The value of each train row with its interval; KeyError for a run that values nothing."""
        return self.tables["values"]

    def __repr__(self) -> str:
        return f"Result(tables={list(self.tables)}, metrics={len(self.metrics)}, directory={self.directory})"


def run(overrides: Sequence[str] = (), *, outputs: str | Path | None = None, config_dir: str | None = None) -> Result:
    """The result of `assay run OVERRIDES...`; below `outputs` the run directory is saved, else nothing is.

    Raises AssayError in one line for what the options or the data cannot serve, and whatever the task raises.
    """
    return _carried(compose([*overrides, "progress=false"], config_dir), outputs)


def value(
    X: Any,
    y: Any = None,
    *,
    target: str | None = None,
    model: Any = "auto",
    method: str | None = None,
    privacy: str = "none",
    split: Mapping[str, float] | None = None,
    seed: int = 0,
    overrides: Sequence[str] = (),
    outputs: str | Path | None = None,
) -> Result:
    """Values of the train rows of a table, as `assay run task=value dataset=csv` gives them for the same table as a file.

    `X` is a frame, or an array [n, d] whose columns are called x1, x2, ...; the target is `y` [n], or the column `target`
    of the frame. `model` is an option's name or a scikit-learn estimator, which is refitted whole; `method` an option of
    valuation (default: the run's, or refits for an estimator); `privacy` an option of privacy; `split` the sizes of train,
    valid and test; `overrides` are further ones, as in a shell. `result.values` has a line for each train row: id (its
    position in the table), value, std_error, ci_low, ci_high and evaluations. Raises AssayError in one line.
    """
    frame, column = _frame(X, y, target)
    live = not isinstance(model, str)
    chosen = [f"model={'estimator' if live else model}", f"privacy={privacy}", f"seed={seed}"]
    if method is not None or live:
        chosen.append("valuation=semivalue" if method is None else f"valuation={method}")
    if split is not None:
        chosen += [f"dataset.split.{part}={size}" for part, size in split.items()]
    given = ["task=value", "dataset=frame", f"dataset.target={column}", *chosen, *overrides, "progress=false"]
    objects = {"dataset": {"frame": Live(frame, "frame")}}
    if live:
        objects["model"] = {"estimator": Live(model, fingerprint_of_object(model))}
    return _carried(compose(given, live=objects), outputs)


def results(
    outputs: str | Path = "outputs",
    name: str | None = None,
    *,
    by: Sequence[str] = (),
    metrics: Sequence[str] = (),
    sql: str | None = None,
) -> pd.DataFrame:
    """One line for each finished run below a folder of outputs: name, fingerprint, seed, settings and metrics.

    `name` chooses the runs of one experiment. With `by`, means of `metrics` (default: those that the runs show first) over
    the runs that agree in these columns, with 95 % Student-t intervals over those runs. With `sql`, the answer of DuckDB;
    its tables are `runs` and each table of the runs by name. An empty frame where there is no run. Raises InputError for a
    column that no run has and for a question that cannot be answered.
    """
    import pandas as pd

    from assay.report.reading import find_runs
    from assay.report.results import means_table, query, runs_table, shown_metrics

    every = find_runs(Path(outputs).expanduser() / "runs")
    records = [record for record in every if name is None or record.name == name]
    if not records:
        return pd.DataFrame()
    if sql is not None:
        return query(records, sql)
    table = runs_table(records)
    return means_table(table, list(by), list(metrics) or shown_metrics(records)) if by else table


def _carried(choices: Choices, outputs: str | Path | None) -> Result:
    """Carries the choices out below `outputs`, or in a folder that is gone afterwards."""
    if outputs is not None:
        return _read(carry(_writing_to(choices, Path(outputs))), keep=True)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        return _read(carry(_writing_to(choices, Path(folder))), keep=False)


def _writing_to(choices: Choices, outputs: Path) -> Choices:
    paths = replace(choices.paths, outputs=str(outputs))
    config = {**choices.config, "paths": {**choices.config["paths"], "outputs": str(outputs)}}
    return replace(choices, paths=paths, config=config)


def _read(directory: RunDirectory, *, keep: bool) -> Result:
    import pandas as pd

    tables = {file.stem: pd.read_parquet(file) for file in sorted(directory.path.glob("*.parquet"))}
    return Result(directory.metrics(), tables, directory.status(), directory.path if keep else None)


def _frame(X: Any, y: Any, target: str | None) -> tuple[pd.DataFrame, str]:
    """The table and the name of its target; InputError where they do not fit."""
    import numpy as np
    import pandas as pd

    if isinstance(X, pd.DataFrame):
        frame = X
    else:
        array = _unmasked(X)
        if array.ndim != 2:
            raise InputError("X", array.shape, "must have rows and columns", "a frame, or an array [n, d]")
        frame = pd.DataFrame(array, columns=[f"x{place}" for place in range(1, array.shape[1] + 1)])
    if y is None:
        if target is None or target not in frame:
            raise InputError("target", target, "names no column of X", "give y, or the name of the target column")
        return frame, target
    series = pd.Series(_unmasked(y))
    if series.ndim != 1 or len(series) != len(frame):
        raise InputError("y", np.shape(y), f"must have a value for each of the {len(frame)} rows of X", "give y [n]")
    name = target or str(getattr(y, "name", None) or TARGET)
    if name in frame:
        raise InputError("target", name, "is a column of X already", "give the target another name by target=...")
    return frame.assign(**{name: series.to_numpy()}), name


def _unmasked(values: Any) -> Any:
    """An array; masked entries are missing, as None or NaN are."""
    import numpy as np

    if not np.ma.isMaskedArray(values):
        return np.asarray(values)
    filled = np.array(values.data, dtype=object)
    filled[np.ma.getmaskarray(values)] = None
    return filled
