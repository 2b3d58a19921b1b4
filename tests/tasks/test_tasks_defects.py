"""Defects that the other tests of tasks and valuation would let pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.mechanisms import privacy_of

from assay.data import Arrays, PreparedData
from assay.learning.models.auto import Auto
from assay.learning.models.mlp import Mlp
from assay.learning.trainer import Trainer
from assay.privacy.ceilings import detection_ceiling
from assay.privacy.relations import Relation
from assay.runs import Outcome
from assay.runs.streams import Streams
from assay.statistics import bootstrap_indices, detection_auc, spearman
from assay.tasks.comparison import Measured
from assay.tasks.uncertainty import uncertainty_of
from assay.valuation.gradient.permutation_fit import PermutationFit
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

Answer = Callable[..., Outcome]
SMALL = (
    "experiment=private_valuation/estimation_uncertainty",
    "dataset.split={train: 20, valid: 60, test: 20}",
    "task.replicates=12",
    "task.evaluations=[4,8]",
    "task.reference_evaluations=80",
)


def toy(rows: int = 12, shift: float = 0.0) -> PreparedData:
    """A regression whose private rows move by `shift` while the public ones stay."""
    generator = np.random.default_rng(0)

    def part(count: int, first: int, moved: float) -> Arrays:
        x = generator.normal(size=(count, 3))
        return Arrays(x + moved, x[:, 0] + moved, np.arange(first, first + count), np.ones(count, dtype=bool), None)

    provenance = None
    return PreparedData(
        train=part(rows, 0, shift),
        valid=part(40, 100, 0.0),
        test=part(5, 200, 0.0),
        kind="regression",
        classes=(),
        feature_names=("a", "b", "c"),
        modality="table",
        provenance=provenance,  # type: ignore[arg-type]
        source_names=(),
    )


def test_bootstrap_draws_of_the_uncertainty_centre_on_the_estimate() -> None:
    """Resampling with replacement shrinks a variance to (m - 1)/m: with m = 8 the uncorrected mean is 12.5 % low."""
    values = np.random.default_rng(0).normal(size=(8, 500))
    estimate, drawn = uncertainty_of(values, bootstrap_indices(8, 4_000, np.random.default_rng(1)))
    error = drawn.std(ddof=1) / drawn.size**0.5
    assert drawn.mean() == pytest.approx(estimate.estimate, abs=4.5 * error)  # false alarm below 1e-5
    assert error < 0.02 * estimate.estimate


@pytest.mark.parametrize("relation", [Relation.ZERO_OUT, Relation.REPLACE_ONE])
def test_the_ceiling_beside_each_auc_is_that_of_the_relation(answer: Answer, relation: Relation) -> None:
    outcome = answer(*SMALL, f"privacy.relation={relation.value}")
    summary = outcome.tables["summary"].set_index(["contender", "evaluations"])
    assert summary.loc[("iid", 4), "auc_ceiling"] == detection_ceiling(privacy_of("iid").budget.mu, relation)
    assert summary.loc[("none", 4), "auc_ceiling"] == 1


def test_the_reference_is_non_private_and_the_mean_of_all_its_permutations(
    answer: Answer, cells: dict[str, Measured]
) -> None:
    data: list[PreparedData] = []

    def keep(prepared: PreparedData) -> PreparedData:
        data.append(prepared)
        return prepared

    outcome = answer(*SMALL, change=keep)
    reference = cells["reference-non_private"]
    assert reference.values.shape == (12, 20)
    assert not reference.touches.any()
    truth = reference.values.mean(axis=0)
    expected = spearman(cells["evaluations-8-iid"].values, truth).mean()
    train, table = data[0].train, outcome.tables["values"]
    assert outcome.metrics["iid/8/spearman"] == pytest.approx(expected)
    assert outcome.metrics["reference/auc"] == pytest.approx(float(detection_auc(truth, train.clean)))
    assert (train.ids[:-1] > train.ids[1:]).any()  # else the alignment below would say nothing
    by_id = table[table["contender"] == "iid"].set_index("id").loc[train.ids]
    assert by_id["clean"].tolist() == train.clean.tolist()
    np.testing.assert_allclose(by_id["non_private_value"], truth)


def test_the_outcome_has_the_ledger_of_every_cell(answer: Answer) -> None:
    ledger = answer(*SMALL).ledger
    assert len(ledger) == 3 * (4 + 8)  # three private mechanisms, one entry a round
    assert len({entry["account"] for entry in ledger}) == 3 * 2


def test_purposes_draw_noise_of_their_own() -> None:
    """Cells at different k must be independent: the interval of the slope takes them so."""
    noise = {}
    for purpose in ("evaluations-4", "evaluations-8"):
        problem, run = Problem(toy(), Auto(), privacy_of("iid")), Run(Streams(0), Trainer())
        fit = PermutationFit(GradientSemivalue(evaluations=4), problem, run, purpose)
        assert fit.private is not None
        noise[purpose] = fit.private.release.noise.open_round(1)((5,))
    assert not torch.equal(noise["evaluations-4"], noise["evaluations-8"])


@pytest.mark.parametrize("norm", [0.25, 4.0])
def test_the_clipping_norm_of_the_user_reaches_clip_noise_and_bootstrap(
    norm: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def spy(*arguments: object, deviations: np.ndarray, **choices: object) -> np.ndarray:
        seen.append(float(deviations[0]))
        return np.zeros(12)

    monkeypatch.setattr("assay.valuation.gradient.permutation_fit.bootstrap_std_errors", spy)
    privacy = privacy_of("running_mean", max_grad_norm=norm)
    GradientSemivalue(evaluations=4).valuate(Problem(toy(), Auto(), privacy), Run(Streams(0), Trainer()))
    assert seen == [pytest.approx(norm * privacy.noise_multipliers(4)[0])]


@pytest.mark.parametrize("how", ["auto", "random", "public"])
def test_the_start_does_not_read_private_rows(how: str) -> None:
    starts = [
        PermutationFit(
            GradientSemivalue(initialisation=how),
            Problem(toy(shift=shift), Mlp(hidden=(3,)), privacy_of("iid")),
            Run(Streams(0), Trainer()),
            "values",
        ).start
        for shift in (0.0, 5.0)
    ]
    assert torch.equal(*starts)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fit_computes_on_the_threads_asked_for(threads: int) -> None:
    """Also before the Trainer is built: a public start by another number of threads differs in the last bits."""
    before, seen = torch.get_num_threads(), []
    original = torch.optim.LBFGS.step

    def step(self: torch.optim.LBFGS, closure: Callable[[], torch.Tensor]) -> object:
        seen.append(torch.get_num_threads())
        return original(self, closure)

    torch.set_num_threads(3 - threads)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.optim.LBFGS, "step", step)
            GradientSemivalue(evaluations=2, initialisation="public").replicates(
                Problem(toy(), Auto(), privacy_of("none")),
                Run(Streams(0), replace(Trainer(), threads=threads)),
                1,
            )
        assert torch.get_num_threads() == threads
        assert seen == [threads]
    finally:
        torch.set_num_threads(before)
