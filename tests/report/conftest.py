"""Run directories of the real form, written by hand."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from assay.runs.fingerprint import fingerprint
from assay.runs.outcome import Headline, Shown

EXPERIMENT = "private_valuation/estimation_uncertainty"
CONTENDERS = ("none", "iid", "running_mean", "running_mean_burn_in")
SLOPES = {"none": -0.5, "iid": 0.8, "running_mean": 0.1, "running_mean_burn_in": 0.0}
MakeRun = Callable[..., Path]


def config_of(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A resolved config; `changes` are dotted keys with `__` for the dot."""
    config: dict[str, Any] = {
        "name": EXPERIMENT,
        "seed": seed,
        "workers": 1,
        "task": {"name": "estimation_uncertainty", "evaluations": [10, 40, 160]},
        "dataset": {"name": "diabetes", "path": None},
        "privacy": {"name": "running_mean_burn_in", "epsilon": 8.0, "delta": 1e-5, "secure_noise": False},
        "scale": "laptop",
        "seeds": 3,
        "logger": {"name": "none"},
        "paths": {"outputs": "outputs"},
    }
    for key, value in changes.items():
        *path, last = key.split("__")
        target = config
        for part in path:
            target = target.setdefault(part, {})
        target[last] = value
    return config


def tables_of(seed: int, evaluations: tuple[int, ...]) -> dict[str, pd.DataFrame]:
    """The quickstart's tables; estimation_uncertainty is exactly 0.001 * (k/10)^slope * (1 + seed/10)."""
    rows, costs, values = [], [], []
    generator = np.random.default_rng(seed)
    for contender in CONTENDERS:
        for k in evaluations:
            spread = 1e-3 * (k / 10) ** SLOPES[contender] * (1 + seed / 10)
            epsilon = math.inf if contender == "none" else 8.0
            row = {"contender": contender, "evaluations": k, "estimation_uncertainty": spread}
            row |= {"spearman": 0.5 + 0.01 * seed, "auc": 0.6, "epsilon": epsilon}
            rows.append(row | {"spearman_low": 0.4, "spearman_high": 0.6, "auc_ceiling": 0.99})
            costs.append({"contender": contender, "evaluations": k, "seconds": 1.5 + seed, "cpu_seconds": 9.0})
        for row_id in range(30):
            value = float(generator.normal())
            values.append({"id": row_id, "value": value, "std_error": 0.1, "evaluations": 160, "contender": contender})
    slopes = [{"contender": name, "slope": slope} for name, slope in SLOPES.items()]
    frames = {"summary": rows, "costs": costs, "values": values, "slopes": slopes}
    return {name: pd.DataFrame(rows) for name, rows in frames.items()}


def metrics_of(seed: int, evaluations: tuple[int, ...]) -> dict[str, float]:
    """Metrics as the task names them."""
    metrics: dict[str, float] = {}
    for contender in CONTENDERS:
        metrics[f"{contender}/slope"] = SLOPES[contender] + 0.01 * seed
        metrics[f"{contender}/spearman_change"] = -0.3 if contender == "iid" else 0.01 * seed
        for k in evaluations:
            metrics[f"{contender}/{k}/spearman"] = (0.2 if contender == "iid" else 0.5) + 0.01 * seed
            metrics[f"{contender}/{k}/auc"] = 0.55 + 0.01 * seed
    return {**metrics, "seconds": 12.5}


QUICKSTART = ("contender", "evaluations", "estimation_uncertainty", "spearman", "auc", "epsilon", "seconds")


def headline_of(tables: Mapping[str, pd.DataFrame], columns: tuple[str, ...]) -> Headline:
    """A headline like the quickstart's, as far as there are tables for it."""
    shown = [Shown("", "summary", columns, beside="costs")] if "summary" in tables else []
    shown += [Shown("slopes of uncertainty", "slopes")] if "slopes" in tables else []
    further = []
    if "values" in tables:
        ranked = [int(place) for place in tables["values"].reset_index(drop=True).sort_values("value").index]
        further = [
            Shown("the 10 lowest", "values", rows=tuple(ranked[:10])),
            Shown("the 5 highest", "values", rows=tuple(ranked[:-6:-1])),
        ]
    return Headline(tuple(shown), ("iid/slope",), ("spearman: rank correlation",), tuple(further))


def tiny_figure() -> bytes:
    """A real PNG."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2, 3])
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=40)
    return sink.getvalue()


@pytest.fixture(scope="session")
def figure_bytes() -> bytes:
    return tiny_figure()


@pytest.fixture
def make_run(tmp_path: Path, figure_bytes: bytes) -> MakeRun:
    """Writes a run below tmp_path/outputs/runs and returns its directory."""

    def make(
        seed: int = 0,
        *,
        state: str = "finished",
        metrics: Mapping[str, float | None] | None = None,
        tables: Mapping[str, pd.DataFrame] | None = None,
        evaluations: tuple[int, ...] = (10, 40, 160),
        status: Mapping[str, Any] | None = None,
        figures: tuple[str, ...] = ("estimation_uncertainty", "fidelity"),
        root: Path | None = None,
        **changes: Any,
    ) -> Path:
        config = config_of(seed, **copy.deepcopy(changes))
        directory = (root or tmp_path / "outputs" / "runs") / config["name"] / fingerprint(config)
        (directory / "figures").mkdir(parents=True)
        (directory / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        status_of_run = {
            "state": state,
            "fingerprint": directory.name,
            "finished": f"2026-01-01T00:00:{seed:02d}.000+00:00",
            "seconds": 12.5,
            "noise": "seeded",
            "delta": 1e-5,
            "relation": "zero_out",
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "data": {"provider": "built in", "source": "scikit-learn==1.7.0", "sha256": "ab" * 32},
            "epsilon": 8.0,
            **(status or {}),
        }
        (directory / "status.json").write_text(json.dumps(status_of_run))
        (directory / "metrics.json").write_text(
            json.dumps(metrics_of(seed, evaluations) if metrics is None else dict(metrics))
        )
        frames = tables_of(seed, evaluations) if tables is None else tables
        for name, frame in frames.items():
            frame.to_parquet(directory / f"{name}.parquet", index=False)
        first = headline_of(frames, QUICKSTART if tables is None else ())
        (directory / "headline.json").write_text(json.dumps(dataclasses.asdict(first)))
        for name in figures:
            (directory / "figures" / f"{name}.png").write_bytes(figure_bytes)
        return directory

    return make
