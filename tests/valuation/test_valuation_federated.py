"""Values of federated clients on real data: budget, participation, resuming, signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.learning.models.auto import Auto
from assay.learning.participation import Participation
from assay.learning.trainer import Trainer
from assay.privacy.ledger import OverspentError
from assay.privacy.option import Privacy
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.statistics import detection_auc
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.federated import FederatedShapley
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
NONE, TRAINER, AUTO = privacy_of("none"), Trainer(), Auto()
SETTINGS = {"evaluations": 8, "learning_rate": 0.3}


def owned(data: PreparedData, clients: int) -> PreparedData:
    return replace(data, train=replace(data.train, source=np.arange(len(data.train)) % clients))


def value(data: PreparedData, privacy: Privacy, **choices: object) -> tuple[Estimates, Participation]:
    valuator = FederatedShapley(**{**SETTINGS, "fraction": 0.4, **choices})  # type: ignore[arg-type]
    estimates = valuator.replicates(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER), 2)
    return estimates, valuator.participation(10, Streams(0))


@pytest.mark.parametrize("mechanism", ["iid", "running_mean", "running_mean_burn_in"])
@pytest.mark.parametrize(("level", "steps", "releases"), [("record", 1, 1), ("record", 3, 3), ("client", 3, 1)])
@pytest.mark.parametrize("sampling", ["fixed", "poisson"])
def test_a_client_pays_for_each_participation_and_none_overspends(
    portion: Portion, mechanism: str, level: str, steps: int, releases: int, sampling: str
) -> None:
    privacy = privacy_of(mechanism, epsilon=2.0, burn_in=0.25)
    choices = {"level": level, "local_steps": steps, "sampling": sampling}
    estimates, participation = value(owned(portion("diabetes", train=30), 10), privacy, **choices)
    assert (estimates.touches == participation.counts * releases).all()
    assert estimates.epsilon == pytest.approx(2.0, rel=1e-6)
    assert estimates.epsilon <= 2.0
    rounds = participation.rounds[2:] if mechanism == "running_mean_burn_in" else participation.rounds
    counted = np.bincount(np.concatenate(rounds), minlength=10)
    assert (estimates.evaluations == counted).all()
    assert (estimates.values[:, counted == 0] == 0).all()


def test_noise_for_the_mean_client_is_refused(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: who takes part more often than the average would exceed the budget."""
    monkeypatch.setattr(Participation, "most", property(lambda self: round(self.counts.mean())))
    with pytest.raises(OverspentError, match="a further release of party"):
        value(owned(portion("diabetes", train=30), 10), privacy_of("iid", epsilon=2.0))


def test_a_limit_on_participations_lowers_the_noise(portion: Portion) -> None:
    data, privacy = owned(portion("diabetes", train=30), 10), privacy_of("iid", epsilon=2.0)
    free, _ = value(data, privacy)
    limited, _ = value(data, privacy, participations=4)
    assert limited.touches.max() == 4 < free.touches.max()
    assert limited.noise_multiplier < free.noise_multiplier
    assert limited.epsilon <= 2.0


class Killed(Exception):
    """Stands for a kill between two batches."""


@pytest.mark.parametrize("mechanism", ["none", "running_mean"])
def test_a_killed_training_ends_in_the_same_bytes(
    portion: Portion, tmp_path: Path, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.valuation.gradient.federated_fit.ROUNDS_A_BATCH", 1)
    data, privacy = owned(portion("breast_cancer", train=40, components=4), 8), privacy_of(mechanism)
    valuator = FederatedShapley(**SETTINGS, local_steps=2)  # type: ignore[arg-type]
    trainer, problem, parts = replace(TRAINER, checkpoint_seconds=0), Problem(data, AUTO, privacy), Parts(tmp_path)
    whole = valuator.replicates(problem, Run(Streams(0), TRAINER), 2)
    seen: list[int] = []

    def kill(rounds: int) -> None:
        seen.append(rounds)
        if sum(seen) == 5:
            raise Killed

    with pytest.raises(Killed):
        valuator.replicates(problem, Run(Streams(0), trainer, parts, advance=kill), 2)
    resumed = valuator.replicates(problem, Run(Streams(0), trainer, parts), 2)
    assert resumed.values.tobytes() == whole.values.tobytes()
    assert resumed.extras["final"].tobytes() == whole.extras["final"].tobytes()
    assert resumed.entries == whole.entries
    assert resumed.utility_evaluations == whole.utility_evaluations


def test_clients_with_wrong_labels_contribute_less(portion: Portion) -> None:
    data = portion("breast_cancer", train=120, valid=150, components=5, norm=1.0)
    source = np.arange(120) % 12
    target = np.where(source < 4, 1 - data.train.target, data.train.target)
    data = replace(data, train=replace(data.train, source=source, target=target))
    valuator = FederatedShapley(evaluations=30, learning_rate=0.3, fraction=0.5)
    estimates = valuator.replicates(Problem(data, AUTO, NONE), Run(Streams(0), TRAINER), 2)
    assert detection_auc(estimates.values[0], np.arange(12) >= 4) > 0.95
    assert estimates.epsilon == 0.0
    assert estimates.touches.sum() == 0
