"""task=training_audit: an honest private training keeps its bound, and each broken variant is refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from assay.errors import InputError
from assay.gradients import ClippedSum
from assay.gradients.recorded import Recorded
from assay.learning.callbacks.score_canaries import ScoreCanaries
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.poisson import PoissonSampler
from assay.runs import Outcome

Answer = Callable[..., Outcome]
SMALL = (
    "task=training_audit",
    "dataset=breast_cancer",
    "dataset.split={train: 200, valid: 50, test: 20}",
    "model=mlp",
    "privacy=white",
    "privacy.epsilon=4",
    "privacy.accountant=rdp",
    "task.batch_size=60",
    "task.epochs=6",
    "task.rows=1",
)

LEARNS = ("privacy.epsilon=20000", "privacy.max_grad_norm=20", "task.epochs=150", "task.rows=1")


def refuted(outcome: Outcome) -> set[str]:
    """The attacks that refute the account."""
    summary = outcome.tables["summary"]
    return set(summary.loc[summary["refuted"], "attack"])


@pytest.mark.parametrize(
    "further", ["privacy.clipping=flat", "privacy.clipping=per_layer", "privacy.clipping=automatic"]
)
def test_an_honest_training_is_not_refuted(answer: Answer, further: str) -> None:
    for seed in (0, 1, 2):
        outcome = answer(*SMALL, further, f"seed={seed}", folder=f"{seed}")
        assert refuted(outcome) == set()
        assert (
            outcome.metrics["effect/measured"] > 0.4 * outcome.metrics["effect/promised"]
        )  # canaries that nobody sees prove nothing
        neighbours = outcome.tables["neighbours"].set_index("kind")["change"]
        assert (neighbours <= 1.000001).all()
        assert neighbours["canary"] > 0.98
    assert outcome.headline is not None
    assert any("nothing refutes" in note for note in outcome.headline.notes)


def test_scores_lack_the_part_of_known_rows(answer: Answer) -> None:
    """Left in, the other rows' gradients would spread the scores far beyond the noise."""
    outcome = answer(*SMALL, "privacy.epsilon=200")
    assert outcome.metrics["noise_multiplier"] < 0.4
    assert outcome.metrics["noise/measured"] == pytest.approx(outcome.metrics["noise_multiplier"], rel=0.2)


def test_half_the_noise_is_refuted(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SeededNoise.open_round

    def half(self: SeededNoise, number: int) -> Callable[[tuple[int, ...]], torch.Tensor]:
        draw = whole(self, number)
        return lambda shape: draw(shape) / 2

    monkeypatch.setattr(SeededNoise, "open_round", half)
    outcome = answer(*SMALL)
    assert {"effect", "noise"} <= refuted(outcome)
    assert outcome.headline is not None
    assert outcome.headline.notes[0].startswith("BROKEN")


def clipped_as_a_whole(limit: float) -> Callable[..., ClippedSum]:
    """The sum of a batch's gradients clipped in place of each row's."""
    by_row = Recorded.clipped_sum

    def summed(self: Recorded, clipping: Any, out: Any = None) -> ClippedSum:
        total = self.weighted_sum(self._vector(1.0))
        norm = torch.stack([value.square().sum() for value in total.values()]).sum().sqrt()
        most = by_row(self, clipping, out).max_grad_norm
        factor = min(1.0, limit * most / float(norm.clamp(min=1e-12)))
        return ClippedSum({name: value * factor for name, value in total.items()}, most, self.samples)

    return summed


@pytest.mark.parametrize(("limit", "by"), [(60.0, {"effect", "neighbours"}), (1.0, {"neighbours"})])
def test_clipping_by_batch_is_refuted(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, limit: float, by: set[str]
) -> None:
    """The mean clipped to C, which leaves a loud row as it is, and the sum clipped to C, which a row may turn around."""
    monkeypatch.setattr(Recorded, "clipped_sum", clipped_as_a_whole(limit))
    assert by <= refuted(answer(*SMALL))


def test_a_row_twice_in_a_batch_is_refuted(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    once = PoissonSampler.batch
    monkeypatch.setattr(PoissonSampler, "batch", lambda self, step: np.repeat(once(self, step), 2))
    outcome = answer(*SMALL)
    assert {"effect", "draws", "neighbours"} <= refuted(outcome)
    assert outcome.metrics["neighbours/measured"] == pytest.approx(2, abs=0.01)


def test_the_same_rows_in_all_steps_are_refuted(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    once = PoissonSampler.batch

    def first(self: PoissonSampler, step: int) -> NDArray[np.int64]:
        return once(self, 0)

    monkeypatch.setattr(PoissonSampler, "batch", first)
    assert refuted(answer(*SMALL, "privacy.epsilon=1", folder="noisy")) == {"draws"}
    assert {"draws", "spread"} <= refuted(answer(*SMALL, "privacy.epsilon=12"))


def test_a_divisor_that_counts_the_rows_is_refuted(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    by_row = Recorded.clipped_sum

    def mean(self: Recorded, clipping: Any, out: Any = None) -> ClippedSum:
        total = by_row(self, clipping, out)
        shared = {name: value * 60 / max(1, self.samples) for name, value in total.gradients.items()}
        return replace(total, gradients=shared)

    monkeypatch.setattr(Recorded, "clipped_sum", mean)
    assert "neighbours" in refuted(answer(*SMALL, "task.rows=3", "task.learning_rate=0.05"))


def test_wrong_labels_bound_epsilon_from_the_outside(answer: Answer) -> None:
    outcome = answer(*SMALL, "task.canary=label")
    assert refuted(outcome) == set()
    assert set(outcome.tables["summary"]["attack"]) == {"guesses", "draws", "neighbours"}
    bare = answer(*SMALL, "task.canary=label", *LEARNS, folder="bare")
    table = bare.tables["canaries"]
    taken = table["taken_in"].to_numpy()
    assert (
        table["score"][taken].mean() > table["score"][~taken].mean() + 0.5
    )  # a training that learns its rows shows it
    assert bare.metrics["guesses/measured"] > outcome.metrics["guesses/measured"]


def test_a_regression_has_wrong_labels_too(answer: Answer) -> None:
    small = [each for each in SMALL if "dataset" not in each]
    outcome = answer(*small, "dataset=diabetes", "task.learning_rate=0.05", "task.canary=label")
    assert refuted(outcome) == set()


def test_an_audit_repeats_in_parts_and_says_what_it_cannot_refute(answer: Answer) -> None:
    whole = answer(*SMALL, folder="whole")
    again = answer(*SMALL, folder="whole")  # from what was saved
    parts = answer(*SMALL, "task.parts=2", folder="parts")
    assert whole.tables["canaries"].equals(again.tables["canaries"])
    np.testing.assert_allclose(whole.tables["canaries"]["score"], parts.tables["canaries"]["score"], atol=1e-7)
    assert whole.metrics["canaries"] == 530  # as many as the network has parameters
    few = answer(*SMALL, "task.canaries=40", "privacy.epsilon=8", folder="few")
    assert few.headline is not None
    assert any("cannot refute 8" in note for note in few.headline.notes)


def test_a_killed_audit_goes_on_to_the_same_scores(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answer(*SMALL, folder="whole")
    scored = ScoreCanaries.on_train_batch_end

    def killed(self: Any, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == 7:
            raise KeyError("killed")
        scored(self, trainer, pl_module, outputs, batch, batch_idx)

    monkeypatch.setattr(ScoreCanaries, "on_train_batch_end", killed)
    with pytest.raises(KeyError, match="killed"):
        answer(*SMALL, "trainer.checkpoint_seconds=0", folder="killed")
    monkeypatch.setattr(ScoreCanaries, "on_train_batch_end", scored)
    resumed = answer(*SMALL, "trainer.checkpoint_seconds=0", folder="killed")
    assert resumed.tables["canaries"].equals(whole.tables["canaries"])
    assert dict(resumed.metrics) == dict(whole.metrics)
    assert resumed.ledger == whole.ledger


@pytest.mark.parametrize(
    ("further", "key"),
    [
        (["privacy=none"], "privacy=none"),
        (["privacy.secure_noise=true"], "privacy.secure_noise"),
        (["model=svm"], "model=svm"),
        (["task.canaries=39"], "task.canaries=39"),
        (["task.canary=label", "dataset.split={train: 30, valid: 50, test: 20}"], "task.canaries=15"),
    ],
)
def test_what_cannot_be_audited_is_refused(answer: Answer, further: list[str], key: str) -> None:
    small = SMALL if further[0] != "privacy=none" else [each for each in SMALL if not each.startswith("privacy")]
    with pytest.raises(InputError) as caught:
        answer(*small, *further)
    assert str(caught.value).startswith(key)
    assert "\n" not in str(caught.value)
