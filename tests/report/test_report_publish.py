"""Each logger gets what it can take; twice is as good as once."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from assay.config.compose import compose
from assay.errors import AssayError
from assay.report.loggers.lightning import LightningLogger
from assay.report.loggers.logger import Logger
from assay.report.loggers.tensorboard import SHOWN_ROWS, markdown
from assay.report.publish import publish


def option(name: str, folder: Path) -> Logger:
    """The shipped option, which writes below a folder."""
    logger: Logger = compose([f"logger={name}", f"paths.outputs={folder}"]).logger
    assert logger.name == name
    return logger


def only(folder: Path, pattern: str) -> Path:
    (file,) = folder.rglob(pattern)
    return file


def test_csv_holds_metrics_hyperparameters_and_tables(make_run: Any, tmp_path: Path) -> None:
    run = make_run(0)
    for _ in range(2):
        publish(run, option("csv", tmp_path / "out"))
    metrics = only(tmp_path / "out", "metrics.csv")
    with metrics.open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["iid/slope"]) == 0.8
    assert metrics.parent.name == run.name
    values = pd.read_csv(metrics.parent / "values.csv")
    pd.testing.assert_frame_equal(values, pd.read_parquet(run / "values.parquet"), check_dtype=False)
    assert yaml.safe_load((metrics.parent / "hparams.yaml").read_text())["privacy"]["epsilon"] == 8.0


def test_tensorboard_holds_metrics_tables_and_figures(make_run: Any, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = make_run(0)
    for _ in range(2):
        publish(run, option("tensorboard", tmp_path / "out"))
    events = EventAccumulator(str(only(tmp_path / "out", "events.out.tfevents.*").parent))
    events.Reload()
    tags = events.Tags()
    (scalar,) = events.Scalars("iid/slope")
    assert scalar.value == pytest.approx(0.8)
    assert {"figure/estimation_uncertainty", "figure/fidelity"} == set(tags["images"])
    assert "table/values/text_summary" in tags["tensors"]
    text = events.Tensors("table/summary/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| contender | evaluations |" in text
    assert text.count("\n") == 13  # head, rule and 12 rows


def test_markdown_says_what_it_leaves_out() -> None:
    text = markdown(pd.DataFrame({"a|b": range(SHOWN_ROWS + 1)}))
    assert text.splitlines()[0] == "| a\\|b |"
    assert text.splitlines()[-1] == f"The first {SHOWN_ROWS} of {SHOWN_ROWS + 1} rows."
    assert len(text.splitlines()) == 2 + SHOWN_ROWS + 2


def test_wandb_works_offline_without_an_account(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))  # no login of whoever runs the tests
    run = make_run(0)
    for _ in range(2):
        publish(run, option("wandb", tmp_path / "out"))
    assert capfd.readouterr() == ("", "")
    recorded = sorted((tmp_path / "out").rglob("run-*.wandb"))[0]
    assert run.name in recorded.name
    assert recorded.stat().st_size > 1000
    media = {file.name.split("_")[0] for file in recorded.parent.rglob("*") if file.is_file()}
    assert {"values", "summary", "estimation", "fidelity"} <= media
    assert os.environ.get("WANDB_MODE") is None


def test_no_logger_writes_nothing(make_run: Any, tmp_path: Path) -> None:
    run = make_run(0)
    before = sorted(tmp_path.rglob("*"))
    publish(run, option("none", tmp_path / "out"))
    assert sorted(tmp_path.rglob("*")) == before


def test_other_loggers_get_hyperparameters_and_metrics(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    class Other:
        def __init__(self, **options: Any) -> None:
            seen["options"] = options

        def log_hyperparams(self, params: Any) -> None:
            seen["seed"] = params["seed"]

        def log_metrics(self, metrics: Any) -> None:
            seen["slope"] = metrics["iid/slope"]

        def finalize(self, status: str) -> None:
            seen["status"] = status

    module = type(sys)("another_logger")
    module.Other = Other  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "another_logger", module)
    run = make_run(4)
    publish(run, LightningLogger(target="another_logger.Other", arguments={"team": "x"}))
    assert seen["options"] == {
        "team": "x",
        "name": "private_valuation/estimation_uncertainty",
        "version": run.name,
    }
    assert (seen["seed"], seen["status"]) == (4, "success")
    assert seen["slope"] == pytest.approx(0.84)


@pytest.mark.parametrize("target", ["no_such_module.Logger", "pytorch_lightning.loggers.NoSuchLogger"])
def test_a_logger_that_cannot_be_made_is_one_line(make_run: Any, target: str) -> None:
    with pytest.raises(AssayError) as raised:
        publish(make_run(0), LightningLogger(target=target))
    assert str(raised.value).startswith("logger=lightning: the run is finished, but could not be published")
    assert "\n" not in str(raised.value)


def test_an_unfinished_run_is_not_published(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="not finished"):
        publish(make_run(0, state="running"), option("csv", tmp_path))


def test_reports_import_no_torch() -> None:
    heavy = ("torch", "pytorch_lightning", "pandas", "matplotlib", "jinja2", "wandb")
    code = f"import sys, assay.report; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
