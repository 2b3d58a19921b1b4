"""A training that diverges ends at the step, with the key; one that does not is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import DivergedError
from assay.experiment import run
from assay.runs import RunDirectory

COMMAND = ["task=train", "dataset.rows=60", "task.epochs=3", "progress=false"]


@pytest.mark.parametrize("rate", ["1e200", "1e120"])
def test_weights_that_are_no_numbers_end_a_training_at_the_step(tmp_path: Path, rate: str) -> None:
    with pytest.raises(DivergedError) as caught:
        run([*COMMAND, f"task.learning_rate={rate}", f"paths.outputs={tmp_path}"])
    assert str(caught.value).startswith(f"task.learning_rate={float(rate)}: a weight is not finite after step ")
    assert str(caught.value).endswith("(the training diverged: lower it)")
    (place,) = (tmp_path / "runs" / "train").iterdir()
    status = RunDirectory(place).status()
    assert (status["state"], status["error"]) == ("failed", str(caught.value))


def test_a_training_that_converges_is_left_alone(tmp_path: Path) -> None:
    assert run([*COMMAND, f"paths.outputs={tmp_path}"]).is_finished()
