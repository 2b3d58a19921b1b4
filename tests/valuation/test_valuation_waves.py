"""Permutations walked at the same time: what that changes, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.ledger import OverspentError
from assay.privacy.option import Privacy
from assay.privacy.rows.gradients import RowGradients
from assay.privacy.rows.reuse import ReuseMatrix
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.reuse import open_reuse
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
AUTO, TRAINER, K = Auto(), Trainer(), 7
MECHANISMS = ["none", "iid", "running_mean", "running_mean_burn_in", "front_loaded", "public_clip"]


def value(data: PreparedData, privacy: Privacy, **choices: object) -> Estimates:
    valuator = GradientSemivalue(**{"evaluations": K, **choices})  # type: ignore[arg-type]
    return valuator.replicates(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER), 2)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("wave", [2, 3, 50])
def test_releases_and_account_are_those_of_rounds_walked_one_by_one(
    portion: Portion, mechanism: str, wave: int
) -> None:
    """The last wave may be smaller; exactly k releases a row, in the ledger's order; without reuse the same values."""
    data, privacy = portion("diabetes", train=12), privacy_of(mechanism, epsilon=2.0, burn_in=0.3)
    alone, together = value(data, privacy), value(data, privacy, wave=wave)
    assert (together.touches == alone.touches).all()
    assert (together.touches == (0 if mechanism == "none" else K)).all()
    assert together.epsilon == pytest.approx(alone.epsilon, rel=1e-12)
    assert together.epsilon <= 2.0
    # a wave is noted round by round when it ends, after all of its releases
    for one, other in zip(alone.entries, together.entries, strict=True):
        assert {key: one[key] for key in ("round", "noise_multiplier")} == {
            key: other[key] for key in ("round", "noise_multiplier")
        }
        assert other["releases"] >= one["releases"]
    assert together.utility_evaluations == alone.utility_evaluations
    assert (together.evaluations == alone.evaluations).all()
    if not privacy.reuses:
        np.testing.assert_allclose(together.values, alone.values, rtol=1e-9, atol=1e-13)
    else:
        assert not np.allclose(together.values, alone.values)


@pytest.mark.parametrize("mechanism", ["running_mean", "front_loaded"])
@pytest.mark.parametrize("wave", [1, 3])
def test_reuse_in_waves_is_the_block_matrix_walked_one_by_one(
    portion: Portion, tmp_path: Path, mechanism: str, wave: int
) -> None:
    data, privacy = portion("diabetes", train=12), privacy_of(mechanism)
    if mechanism == "front_loaded":
        privacy = replace(privacy, first_share=1 / K)  # the matrix of one's own has an even budget
    path = tmp_path / "weights.npy"
    np.save(path, ReuseMatrix.weighted(privacy.release_weights(K), wave).weights)
    given = privacy_of("lower_triangular", matrix=str(path))
    online = value(data, privacy, wave=wave).values
    np.testing.assert_allclose(value(data, given).values, online, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(value(data, given, wave=wave).values, online, rtol=1e-7, atol=1e-12)


def test_a_round_more_than_planned_is_refused_in_a_wave(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken variant: noise for k - 1 releases."""
    right = RowGradients.noise_multipliers
    monkeypatch.setattr(RowGradients, "noise_multipliers", lambda self, k: np.full(k, right(self, k - 1)[0]))
    with pytest.raises(OverspentError, match="a further release of row"):
        value(portion("diabetes", train=12), privacy_of("running_mean"), wave=3)


class Killed(Exception):
    """Stands for a kill between two batches."""


@pytest.mark.parametrize("permutations", ["plain", "antithetic"])
def test_a_killed_fit_in_waves_ends_in_the_same_bytes(
    portion: Portion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, permutations: str
) -> None:
    monkeypatch.setattr("assay.valuation.gradient.permutation_fit.STEPS_A_BATCH", 1)
    data, privacy = portion("diabetes", train=12), privacy_of("running_mean_burn_in", burn_in=0.3)
    valuator = GradientSemivalue(evaluations=8, wave=3, permutations=permutations)  # type: ignore[arg-type]
    problem, parts = Problem(data, AUTO, privacy), Parts(tmp_path)
    whole = valuator.replicates(problem, Run(Streams(0), TRAINER), 2)
    seen: list[int] = []

    def kill(rounds: int) -> None:
        seen.append(rounds)
        if sum(seen) == 6:
            raise Killed

    saving = replace(TRAINER, checkpoint_seconds=0)
    with pytest.raises(Killed):
        valuator.replicates(problem, Run(Streams(0), saving, parts, advance=kill), 2)
    counted: list[int] = []
    resumed = valuator.replicates(problem, Run(Streams(0), saving, parts, advance=counted.append), 2)
    assert counted[0] == 3  # whole waves only
    assert resumed.values.tobytes() == whole.values.tobytes()
    assert resumed.std_errors.tobytes() == whole.std_errors.tobytes()
    assert resumed.entries == whole.entries


def test_bootstrap_errors_cover_the_spread_in_waves_and_under_front_loading(portion: Portion) -> None:
    """Mean variance by the bootstrap from one private run, against that over 40 runs: as for waves of one."""
    data = portion("diabetes", train=30, components=5, norm=1.0)
    for privacy, wave in ((privacy_of("running_mean"), 4), (privacy_of("front_loaded"), 1)):
        valuator = GradientSemivalue(evaluations=16, bootstrap=40, wave=wave)
        single = valuator.valuate(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER)).values
        repeated = valuator.replicates(Problem(data, AUTO, privacy), Run(Streams(1), TRAINER), 40).values
        ratio = (single.std_error**2).mean() / repeated.var(axis=0, ddof=1).mean()
        assert 0.9 < ratio < 3


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(
    "choice",
    [
        {"semivalue": "banzhaf"},
        {"semivalue": "beta", "alpha": 4.0, "wave": 3},
        {"semivalue": "beta", "alpha": 16.0, "permutations": "antithetic", "wave": 2},
    ],
    ids=["banzhaf", "beta-4", "beta-16"],
)
def test_semivalues_weigh_the_same_marginal_contributions_by_position(
    portion: Portion, monkeypatch: pytest.MonkeyPatch, mechanism: str, choice: dict[str, object]
) -> None:
    """Each round records the contributions of Shapley; the value is the mean of them times the weights of their positions."""
    data, privacy = portion("diabetes", train=9), privacy_of(mechanism, burn_in=0.3)
    shapley = spied(monkeypatch, lambda: value(data, privacy, **{**choice, "semivalue": "shapley"}))
    chosen = spied(monkeypatch, lambda: value(data, privacy, **choice))
    weights = semivalue_weights(str(choice["semivalue"]), 9, float(choice.get("alpha", 1.0)), 1.0)  # type: ignore[arg-type]
    expected, used = np.zeros((2, 9)), 0
    for (number, order, marginals), (_, _, same) in zip(chosen[1], shapley[1], strict=True):
        assert marginals.tobytes() == same.tobytes()
        if number > privacy.burn_in_rounds(K):
            used += 1
            for r in range(2):
                expected[r, order[r]] += weights * marginals[r]
    np.testing.assert_allclose(chosen[0].values, expected / used, rtol=1e-12, atol=1e-15)
    assert not np.allclose(chosen[0].values, shapley[0].values)


def spied(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Estimates]) -> tuple[Estimates, list[tuple]]:  # type: ignore[type-arg]
    """The estimate, and number, order and marginal contributions of every round."""
    seen = []
    with monkeypatch.context() as patch:
        from assay.learning.marginals import MarginalSums

        add = MarginalSums.add

        def watched(self, number, order, marginals):  # type: ignore[no-untyped-def]
            seen.append((number, order, marginals))
            add(self, number, order, marginals)

        patch.setattr(MarginalSums, "add", watched)
        return work(), seen


@pytest.mark.parametrize(
    ("mechanism", "key", "remedy"),
    [
        ("running_mean", "privacy", "use fewer rows or replicates, a smaller model, or valuation.wave=1"),
        ("lower_triangular", "privacy", "use privacy=running_mean or front_loaded"),
        ("running_mean", "valuation.bootstrap", "valuation.bootstrap=0"),
    ],
)
def test_what_has_no_room_is_refused_before_it_is_stored(mechanism: str, key: str, remedy: str) -> None:
    with pytest.raises(InputError, match=rf"{key}=.*above 500,000,000 numbers.*{remedy}"):
        open_reuse(
            privacy_of(mechanism, matrix="none.csv"),
            rows=10_000,
            parameters=100_000,
            evaluations=40,
            replicates=1,
            wave=1,
            key=key,
        )


def test_a_bootstrap_without_room_is_refused_before_anything_is_released(
    portion: Portion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.valuation.gradient.reuse.ROOM", 1000)
    monkeypatch.setattr("assay.valuation.gradient.permutation_fit.PermutationFit.estimates", None)
    with pytest.raises(InputError, match=r"valuation.bootstrap=24: keeps 24 x 12 rows x 11 parameters"):
        GradientSemivalue().valuate(
            Problem(portion("diabetes", train=12), AUTO, privacy_of("running_mean")), Run(Streams(0), TRAINER)
        )
