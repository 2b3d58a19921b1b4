"""Lines that come before a run has its log, and in it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.runs.log import collected, run_log


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """The root logger as hydra leaves it, and afterwards as it was before."""
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.ERROR)
    yield
    root.setLevel(before)


def worry() -> None:
    warnings.warn("a column is left out", stacklevel=1)


def test_what_is_said_before_the_log_is_there_reaches_it(tmp_path: Path) -> None:
    silenced = logging.getLogger("somebody.silenced")
    silenced.disabled = True
    with collected():
        worry()
        silenced.info("read the file")
        with run_log(tmp_path / "run.log"):
            worry()
    log = (tmp_path / "run.log").read_text()
    assert "a column is left out" in log
    assert "INFO somebody.silenced: read the file" in log
    assert logging.getLogger().level == logging.ERROR


def test_each_run_of_a_process_logs_the_same_warning(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with collected():
            worry()
            with run_log(tmp_path / name):
                pass
        assert (tmp_path / name).read_text().count("a column is left out") == 1


def test_what_no_log_took_is_dropped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with collected():
        worry()
    with collected(), run_log(tmp_path / "run.log"):
        pass
    assert (tmp_path / "run.log").read_text() == ""
    said = capfd.readouterr()
    assert said.out + said.err == ""
