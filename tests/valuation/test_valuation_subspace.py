"""Values for several utilities: one release in a public subspace, or a share of the budget each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.mechanisms import privacy_of

from assay.config.compose import compose
from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models import Model, Shape
from assay.learning.models.affine import Logistic
from assay.learning.models.auto import Auto
from assay.learning.models.mlp import Mlp
from assay.learning.models.replicated import path_utility
from assay.learning.modules.permutation_pass import Rows
from assay.learning.trainer import Trainer
from assay.privacy.budget import Budget
from assay.privacy.clipping import Clip
from assay.privacy.ledger import OverspentError
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.rows.account import RowAccount, RowRelease
from assay.privacy.rows.pure_account import PureRelease
from assay.runs.streams import Streams
from assay.statistics import spearman
from assay.valuation.gradient.directed.directions import (
    gradient_subspace,
    parts_by_target,
    projected_gradients,
    utility_gradients,
)
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.directed.shares import Utility, budget_shares
from assay.valuation.gradient.directed.subspace import SubspaceRelease
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
RUN = Run(Streams(0), Trainer())


def problem_of(data: PreparedData, name: str = "directed_subspace", **privacy: Any) -> Problem:
    spec = privacy_of(name, **{"paths": 4, **privacy})
    return Problem(data, Auto(), spec)


def release_of(data: PreparedData, **privacy: Any) -> SubspaceRelease:
    return SubspaceRelease(GradientSemivalue(learning_rate=0.1), problem_of(data, **privacy), RUN, "x", 2)


def moved(data: PreparedData, row: int) -> PreparedData:
    features = data.train.features.copy()
    features[row] += 3.0
    return replace(data, train=replace(data.train, features=features))


@pytest.mark.parametrize(
    ("name", "chosen", "classes"), [("digits", Mlp(hidden=(5,)), 10), ("breast_cancer", Logistic(), 2)]
)
def test_coordinates_and_directions_are_those_of_written_out_gradients(
    portion: Portion, name: str, chosen: Model, classes: int
) -> None:
    data = portion(name, components=6)
    model = chosen.replicated(Shape(data.kind, classes, 6))
    rows, valid = rows_of(data.train, torch.float64), rows_of(data.valid, torch.float64)
    paths = torch.randn(3, 2, model.parameter_count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(model.parameter_count, 3, dtype=torch.float64))[0]
    slow = (
        sum(model.row_gradients(t.expand(len(rows), -1), rows.features, rows.target) for t in paths.flatten(0, 1)) / 6
    )
    torch.testing.assert_close(projected_gradients(model, paths.flatten(0, 1), rows, basis), slow @ basis)
    slope = torch.func.grad(lambda t: path_utility(model, t[None], valid.features, valid.target, "negative_loss")[0])
    direct = torch.stack([(slope(paths[0, i]) + slope(paths[1, i]) + slope(paths[2, i])) / 3 for i in range(2)])
    torch.testing.assert_close(utility_gradients(model, paths, valid), direct)


def test_a_subspace_holds_what_its_gradients_share() -> None:
    generator = torch.Generator().manual_seed(0)
    plane = torch.linalg.qr(torch.randn(7, 2, generator=generator, dtype=torch.float64))[0]
    gradients = [torch.randn(4, 2, generator=generator, dtype=torch.float64) @ plane.T * size for size in (1.0, 1e-9)]
    basis = gradient_subspace(gradients, 2)
    torch.testing.assert_close(basis @ basis.T, plane @ plane.T)
    every = gradient_subspace([gradients[0][:1]], 7)  # more than there are gradients
    torch.testing.assert_close(every.T @ every, torch.eye(7, dtype=torch.float64))


def test_parts_are_classes_or_halves_about_the_median(portion: Portion) -> None:
    digits, diabetes = (rows_of(portion(name).valid, torch.float64) for name in ("digits", "diabetes"))
    assert all(len(part.target.unique()) == 1 for part in parts_by_target(digits, 10))
    low, high = parts_by_target(diabetes, 0)
    assert len(low) == len(high) == 30
    assert low.target.max() < high.target.min()


def test_in_the_whole_space_without_noise_values_are_first_order_contributions(portion: Portion) -> None:
    """All dimensions lose nothing: for any rows that judge, -a * mean gradient of V times the mean row gradient."""
    data = portion("diabetes")
    release = release_of(data, dimensions=11, clip=1e6, epsilon=1e8, delta=0.5)
    released, judges = release.run(), Rows(release.valid.features[:9], release.valid.target[:9])
    values, error = released.projections.values(release.slope(judges))
    model, thetas, rows = release.model, release.paths.flatten(0, 1), release.train
    slope = torch.func.grad(lambda t: path_utility(model, t[None], judges.features, judges.target, "negative_loss")[0])
    direction = torch.stack([slope(theta) for theta in thetas]).mean(0)
    mean = sum(model.row_gradients(t.expand(len(rows), -1), rows.features, rows.target) for t in thetas) / len(thetas)
    tolerance = 6 * error + 1e6 * 2.0**-20
    np.testing.assert_allclose(values[0], (-0.1 * mean @ direction).numpy(), atol=tolerance)
    assert released.facts["release/share_of_direction"] == pytest.approx(1.0)


def test_values_agree_with_the_non_private_ones(portion: Portion) -> None:
    data = portion("breast_cancer", train=60, valid=120, labels=0.3, components=5, norm=1.0)
    choice = GradientSemivalue(evaluations=40, learning_rate=0.5)
    reference = choice.replicates(Problem(data, Auto(), privacy_of("none")), RUN, 8).values.mean(axis=0)
    estimates = choice.replicates(Problem(data, Auto(), privacy_of("directed_subspace", epsilon=20.0)), RUN, 8)
    assert spearman(estimates.values, reference).mean() > 0.6
    assert np.ptp(estimates.std_errors) == 0


@pytest.mark.parametrize("relation", ["zero_out", "replace_one"])
def test_the_budget_is_spent_once_whatever_is_computed(portion: Portion, relation: str) -> None:
    release = release_of(portion("breast_cancer"), epsilon=2.0, relation=relation)
    released = release.run()
    for part in parts_by_target(release.valid, 2):
        released.projections.values(release.slope(part))
    assert released.estimates.epsilon == pytest.approx(2.0, rel=1e-6)
    assert release.ledger.epsilon() <= 2.0
    assert (released.estimates.touches == 1).all()
    with pytest.raises(OverspentError):
        release.ledger.charge(RowRelease(np.zeros(2, dtype=np.int64), released.estimates.noise_multiplier))


@pytest.mark.parametrize("unclipped", [False, True])
@pytest.mark.parametrize(("relation", "factor"), [("zero_out", 1), ("replace_one", 2)])
def test_a_row_moves_the_release_by_its_sensitivity_at_most(
    portion: Portion, monkeypatch: pytest.MonkeyPatch, relation: str, factor: int, unclipped: bool
) -> None:
    """mu of the release of one row, wild or gone, against the budget; without the clip, the broken variant, it is passed."""
    if unclipped:
        monkeypatch.setattr(Clip, "__call__", lambda self, vectors: vectors)
    data = portion("diabetes", train=20)
    features = data.train.features * 1e3
    wild = replace(data, train=replace(data.train, features=features))
    opposite = replace(data, train=replace(data.train, features=-features, target=-data.train.target))
    one, other = (release_of(table, clip=0.1, relation=relation, epsilon=4.0) for table in (wild, opposite))
    if relation == "zero_out":
        other.coordinates = lambda rows: torch.zeros(20, 2, dtype=torch.float64)  # type: ignore[method-assign]
    released = [each.run().projections for each in (one, other)]
    distance = (released[0].coordinates - released[1].coordinates)[0].norm(dim=1).max()  # the same noise in both
    mu = float(distance) / released[0].deviation
    assert one.ledger.sensitivity.value == pytest.approx(0.1 * factor)
    assert (mu <= Budget(4.0, 1e-5).mu * (1 + 1e-4)) != unclipped  # the grid may add its step


def test_a_row_moves_its_own_release_alone(portion: Portion) -> None:
    data = portion("breast_cancer")
    before, after = (release_of(table).run() for table in (data, moved(data, 3)))
    others = np.arange(len(data.train)) != 3
    assert np.array_equal(before.estimates.values[:, others], after.estimates.values[:, others])
    assert not np.array_equal(before.estimates.values[:, 3], after.estimates.values[:, 3])
    assert before.estimates.entries == after.estimates.entries
    assert torch.equal(before.projections.basis, after.projections.basis)


def test_noise_is_charged_before_it_is_drawn(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    opened, charge = SeededNoise.open_round, RowAccount.charge

    def open_round(self: SeededNoise, number: int) -> Any:
        events.append("draw")
        return opened(self, number)

    def charged(self: RowAccount, release: RowRelease) -> None:
        events.append("charge")
        charge(self, release)

    monkeypatch.setattr(SeededNoise, "open_round", open_round)
    monkeypatch.setattr(RowAccount, "charge", charged)
    release_of(portion("diabetes")).run()
    assert events == ["charge"] * 30 + ["draw"]


def test_one_estimate_with_its_standard_error(portion: Portion) -> None:
    data, choice = portion("diabetes"), GradientSemivalue(learning_rate=0.1)
    estimates = SubspaceRelease(choice, problem_of(data), RUN, "x", 600).estimates()
    assert estimates.values.std(axis=0, ddof=1).mean() == pytest.approx(estimates.std_errors[0, 0], rel=0.03)
    single = choice.valuate(Problem(data, Auto(), privacy_of("directed_subspace", paths=4)), Run(Streams(0), Trainer()))
    assert single.facts["release/epsilon_of_a_changed_record"] > single.epsilon
    assert 0 < single.facts["release/share_of_direction"] <= 1


def test_what_has_no_gradient_or_too_few_parameters_is_refused(portion: Portion) -> None:
    message = "has no gradient, along which privacy=directed_subspace could project"
    choice = GradientSemivalue(utility="accuracy")
    with pytest.raises(InputError, match=message):
        SubspaceRelease(choice, problem_of(portion("breast_cancer")), RUN, "x")
    for given in (
        ["privacy=directed_subspace"],
        [
            "privacy=directed",
            "task=label_noise",
            "task.contenders=[directed_subspace]",
            "dataset.corruption.labels=0.3",
        ],
    ):
        with pytest.raises(InputError, match=message):
            compose(["dataset=breast_cancer", "valuation.utility=accuracy", *given])
    with pytest.raises(InputError, match=r"privacy\.dimensions=12: the model has 11 parameters"):
        release_of(portion("diabetes"), dimensions=12)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_shares_of_the_budget_add_up_to_it(portion: Portion, count: int) -> None:
    data = portion("breast_cancer")
    problem = problem_of(data, "directed", epsilon=4.0)
    valid = rows_of(data.valid, torch.float64)
    utilities = [
        Utility(("negative_loss", "accuracy")[number % 2], valid)  # type: ignore[arg-type]
        for number in range(count)
    ]
    shares = budget_shares(GradientSemivalue(), problem, RUN, "x", utilities, 2)
    assert [entry["epsilon"] for entry in shares.ledger.entries] == pytest.approx(
        [4.0 * (number + 1) / count for number in range(count)]
    )
    assert shares.ledger.epsilon() <= 4.0
    assert (shares.estimates[-1].touches == count).all()
    with pytest.raises(OverspentError):  # the broken variant: one utility more than was planned for
        shares.ledger.charge(PureRelease(4.0 / count))


def test_shares_draw_noise_of_their_own_and_are_single_releases(portion: Portion) -> None:
    data = portion("breast_cancer")
    problem, choice = problem_of(data, "directed", epsilon=4.0), GradientSemivalue()
    valid = rows_of(data.valid, torch.float64)
    first, second = budget_shares(choice, problem, RUN, "x", [Utility("negative_loss", valid)] * 2, 2).estimates
    assert not np.array_equal(first.values, second.values)
    half = replace(problem, privacy=replace(problem.privacy, epsilon=2.0))
    alone = DirectedRelease(choice, half, RUN, "x utility 0", 2).estimates()
    assert np.array_equal(first.values, alone.values)


def test_shares_are_for_pure_laws_alone(portion: Portion) -> None:
    data, choice = portion("breast_cancer"), GradientSemivalue()
    for name in ("directed_private_path", "directed_gaussian", "directed_subspace", "iid"):
        with pytest.raises(InputError, match="shares of epsilon add up for pure laws"):
            budget_shares(
                choice,
                problem_of(data, name),
                RUN,
                "x",
                [Utility("accuracy", rows_of(data.valid, torch.float64))],
            )
    with pytest.raises(ValueError, match="a utility at the least"):
        budget_shares(choice, problem_of(data, "directed"), RUN, "x", [])


def test_fewer_public_rows_drive_and_all_valid_rows_judge(portion: Portion) -> None:
    """Parts of the public rows: trajectories and clip read those alone, the utility reads its judges alone."""
    data = portion("breast_cancer")
    problem, choice = problem_of(data, "directed"), GradientSemivalue(learning_rate=0.5)
    valid = rows_of(data.valid, torch.float64)
    few, rest = Rows(valid.features[:5], valid.target[:5]), Rows(valid.features[5:], valid.target[5:])
    plain, driven = DirectedRelease(choice, problem, RUN, "x"), DirectedRelease(choice, problem, RUN, "x", public=few)
    assert not torch.equal(plain.along.thetas(4), driven.along.thetas(4))
    cut = replace(
        data,
        valid=replace(
            data.valid,
            features=data.valid.features[:5],
            target=data.valid.target[:5],
            ids=data.valid.ids[:5],
            clean=data.valid.clean[:5],
        ),
    )
    only = DirectedRelease(choice, replace(problem, data=cut), RUN, "x", judges=rest)
    paths = driven.along.thetas(4)
    assert torch.equal(only.along.thetas(4), paths)
    by_parts = [
        DirectedRelease(choice, problem, RUN, "x", judges=each).exact_values(driven.train, paths)
        for each in (few, rest)
    ]
    assert torch.equal(by_parts[1], only.exact_values(only.train, paths))
    whole = (5 * by_parts[0] + len(rest) * by_parts[1]) / len(valid)
    torch.testing.assert_close(driven.exact_values(driven.train, paths), whole)
