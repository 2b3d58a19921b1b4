"""Parties: the mean of clipped gradients moves as far as stated, and the account knows how much noise that needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mechanisms import privacy_of

from assay.errors import InputError
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.parties import Level, PartyAccount, PartyRelease, PartySensitivity, party_sensitivity

SIZES = (1, 4, 20)


def ball(generator: np.random.Generator, count: int, norm: float) -> np.ndarray:
    """Vectors of length `norm`, where a mean is moved most."""
    vectors = generator.standard_normal((count, 3))
    return norm * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.sampled_from(SIZES), st.floats(0.1, 10), st.integers(0, 999))
def test_no_record_and_no_party_moves_the_mean_further_than_its_reach(size: int, norm: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    gradients = ball(generator, size, norm)
    mean, gone, other = gradients.mean(axis=0), gradients.copy(), gradients.copy()
    gone[0], other[0] = 0.0, -gradients[0]
    record = PartySensitivity(norm, Relation.ZERO_OUT, (size,), Level.RECORD)
    replaced = PartySensitivity(norm, Relation.REPLACE_ONE, (size,), Level.RECORD)
    client = PartySensitivity(norm, Relation.ZERO_OUT, (size,), Level.CLIENT)
    # the worst record reaches the bound, so that a smaller one would be wrong
    assert np.linalg.norm(mean - gone.mean(axis=0)) == pytest.approx(record.value, rel=1e-9)
    assert np.linalg.norm(mean - other.mean(axis=0)) == pytest.approx(replaced.value, rel=1e-9)
    assert np.linalg.norm(mean) <= client.value * (1 + 1e-12)
    aligned = np.tile(gradients[0], (size, 1))
    assert np.linalg.norm(aligned.mean(axis=0)) == pytest.approx(client.value, rel=1e-9)


def test_noise_shrinks_with_the_party_at_record_level_only() -> None:
    record = PartySensitivity(2.0, Relation.ZERO_OUT, SIZES, Level.RECORD)
    client = PartySensitivity(2.0, Relation.ZERO_OUT, SIZES, Level.CLIENT)
    assert record.deviations(3.0) == pytest.approx([6.0, 1.5, 0.3])
    assert client.deviations(3.0).tolist() == [6.0, 6.0, 6.0]


def spend(account: PartyAccount, deviations: np.ndarray, rounds: int) -> None:
    for _ in range(rounds):
        for party in range(len(account.sensitivity.sizes)):
            account.charge(PartyRelease(np.array([party]), deviations[[party]]))


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("relation", [Relation.ZERO_OUT, Relation.REPLACE_ONE])
@pytest.mark.parametrize("releases", [1, 13])
def test_planned_releases_spend_the_budget_and_one_more_is_refused(
    level: Level, relation: Relation, releases: int
) -> None:
    budget, sensitivity = Budget(2.0, 1e-5, relation), PartySensitivity(0.7, relation, SIZES, level)
    deviations = sensitivity.deviations(budget.noise_multiplier(releases, sensitivity))
    account = PartyAccount(budget, sensitivity)
    spend(account, deviations, releases)
    assert account.epsilon() == pytest.approx(2.0, rel=1e-6)
    assert account.epsilon() <= 2.0
    assert (account.touches == releases).all()
    assert account.totals() == {"releases": 3 * releases, "most_per_party": releases, "level": str(level)}
    before = account.state_dict()
    with pytest.raises(OverspentError, match="a further release of party 0 would reach"):
        spend(account, deviations, 1)
    assert account.state_dict() == before


def test_noise_of_record_level_is_refused_at_client_level() -> None:
    """The broken variant: C/|D| where the whole party must be hidden is a twentieth of the noise that is due."""
    budget = Budget(2.0, 1e-5)
    record, client = (PartySensitivity(1.0, Relation.ZERO_OUT, SIZES, level) for level in (Level.RECORD, Level.CLIENT))
    deviations = record.deviations(budget.noise_multiplier(4, record))
    account = PartyAccount(budget, client)
    account.charge(PartyRelease(np.array([0]), deviations[[0]]))  # a party of one row: no difference
    with pytest.raises(OverspentError, match="party 1"):
        account.charge(PartyRelease(np.array([1]), deviations[[1]]))


def test_noise_for_another_size_is_refused() -> None:
    budget = Budget(2.0, 1e-5)
    small, large = (PartySensitivity(1.0, Relation.ZERO_OUT, (size,), Level.RECORD) for size in (5, 10))
    account = PartyAccount(budget, small)
    with pytest.raises(OverspentError):
        account.charge(PartyRelease(np.array([0]), large.deviations(budget.noise_multiplier(1, large))))


def test_sensitivities_of_other_levels_sizes_and_rows_differ() -> None:
    one = PartySensitivity(1.0, Relation.ZERO_OUT, (3, 3), Level.RECORD)
    assert one == PartySensitivity(1.0, Relation.ZERO_OUT, (3, 3), Level.RECORD)
    for other in (
        PartySensitivity(1.0, Relation.ZERO_OUT, (3, 3), Level.CLIENT),
        PartySensitivity(1.0, Relation.ZERO_OUT, (3, 4), Level.RECORD),
        Sensitivity(1.0, Relation.ZERO_OUT),
    ):
        assert one != other


def test_a_ledger_of_parties_goes_on_where_it_stopped() -> None:
    budget, sensitivity = Budget(2.0, 1e-5), PartySensitivity(1.0, Relation.ZERO_OUT, (3,), Level.RECORD)
    deviations = sensitivity.deviations(budget.noise_multiplier(2, sensitivity))
    first, second = Ledger(PartyAccount(budget, sensitivity)), Ledger(PartyAccount(budget, sensitivity))
    first.charge(PartyRelease(np.array([0]), deviations))
    second.load_state_dict(first.state_dict())
    second.charge(PartyRelease(np.array([0]), deviations))
    with pytest.raises(OverspentError):
        second.charge(PartyRelease(np.array([0]), deviations))
    with pytest.raises(ValueError, match="the budget for zero_out"):
        Ledger(PartyAccount(budget, PartySensitivity(1.0, Relation.REPLACE_ONE, (3,), Level.RECORD)))


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(InputError, match="every party needs a row"):
        PartySensitivity(1.0, Relation.ZERO_OUT, (2, 0), Level.RECORD)
    with pytest.raises(InputError, match="a release of a party shows that the party is there"):
        PartyAccount(
            Budget(1.0, 1e-5, Relation.ADD_REMOVE), PartySensitivity(1.0, Relation.ADD_REMOVE, (2,), Level.RECORD)
        )


def test_only_mechanisms_with_an_account_of_parties_are_taken() -> None:
    assert party_sensitivity(privacy_of("none"), (2, 3), Level.RECORD) is None
    result = party_sensitivity(privacy_of("running_mean", max_grad_norm=0.5), (2, 3), Level.CLIENT)
    assert result == PartySensitivity(0.5, Relation.ZERO_OUT, (2, 3), Level.CLIENT)
    with pytest.raises(InputError, match="privacy=directed: has no account of parties"):
        party_sensitivity(privacy_of("directed"), (2, 3), Level.RECORD)
