"""Benchmarks time the same step in every variant, and environments are made once. No time is asserted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from experiments.benchmarks import environments
from experiments.benchmarks.clip_step import CONTENDERS, Measured, row, text
from experiments.benchmarks.models import MODELS
from experiments.benchmarks.parts import PARTS, convolutions, product
from experiments.benchmarks.steps import VARIANTS


@pytest.mark.filterwarnings("ignore:Full backward hook")  # of Opacus
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_every_variant_that_clips_makes_the_same_step(model: str) -> None:
    ends = {}
    for name, variant in VARIANTS.items():
        task = MODELS[model](batch=4)
        start = torch.nn.utils.parameters_to_vector(task.model.parameters()).detach().clone()
        variant(task)()
        ends[name] = torch.nn.utils.parameters_to_vector(task.model.parameters()).detach() - start
    clipped = ends["ours"]
    assert float(clipped.norm()) > 0
    for name, moved in ends.items():
        if name != "plain":  # float32 steps that are read off parameters a thousand times as large
            assert float((moved - clipped).norm()) <= 1e-3 * float(clipped.norm()), name
    assert float((ends["plain"] - clipped).norm()) > 0.1 * float(clipped.norm())  # else nothing was clipped


def test_ratios_are_taken_round_by_round_and_within_an_environment() -> None:
    seconds = {"plain": [1.0, 2.0, 4.0], "ours": [2.0, 4.0, 16.0], "opacus_plain": [1.0] * 3, "opacus_ghost": [4.0] * 3}
    measured = {name: Measured(values, 5.0, {}) for name, values in seconds.items()}
    ours, ghost = (row("mlp", name, measured) for name in ("ours", "opacus_ghost"))
    assert (ours["ms"], ours["by_plain"], ours["by_plain_high"], ours["by_opacus_ghost"]) == (4000.0, 2.0, 3.0, 1.0)
    assert ghost["by_plain"] == 4.0
    assert text(ours) == "| mlp | ours | 4000.0 | 2.00 (2.00 to 3.00) | 1.00 (0.75 to 2.50) | 5 |"
    assert all(contender.variant in (VARIANTS if contender.whole else PARTS) for contender in CONTENDERS.values())


def test_the_timed_products_are_the_gradients_of_the_kernels() -> None:
    for module, images, outputs in convolutions(MODELS["cnn"](batch=3)):
        gradients = product(module, images, outputs)().sum(0)
        kernel = torch.nn.grad.conv2d_weight(images, module.weight.shape, outputs, module.stride)
        if images.shape[1] == 1:  # [patch, kernels], else [kernels, kh, kw, C]
            gradients = gradients.mT.reshape(kernel.shape)
        else:
            gradients = gradients.reshape(len(kernel), *kernel.shape[2:], -1).permute(0, 3, 1, 2)
        torch.testing.assert_close(gradients, kernel, rtol=1e-4, atol=1e-3)


def test_an_environment_is_made_once_and_again_when_its_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Sequence[str]] = []

    def run(command: Sequence[str], **options: Any) -> None:
        calls.append(command)
        (tmp_path / "peer").mkdir(exist_ok=True)

    (tmp_path / "peer.txt").write_text("one==1\n")
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(environments.subprocess, "run", run)
    assert environments.python_of("peer") == environments.python_of("peer") == tmp_path / "peer" / "bin" / "python"
    assert len(calls) == 2  # the environment and what goes into it
    (tmp_path / "peer.txt").write_text("one==2\n")
    environments.python_of("peer")
    assert len(calls) == 4


def test_a_worker_answers_with_seconds_and_ends_with_its_input() -> None:
    with environments.Worker("experiments.benchmarks.step_worker", "cnn", "plain") as worker:
        assert worker.hello["versions"]["torch"] == torch.__version__
        assert worker.ask("0.001") > 0
    assert worker._process.returncode == 0


def test_a_worker_that_fails_is_named_by_its_command() -> None:
    with pytest.raises(RuntimeError, match=r"-m no_such_module: ended with 1"):
        environments.Worker("no_such_module")
