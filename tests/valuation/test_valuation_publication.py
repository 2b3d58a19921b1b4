"""Values for publication: what the statement says must be what was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.accounting.gaussian import epsilon_of
from assay.runs.streams import Streams
from assay.valuation.gradient.private_semivalue import PrivateSemivalue
from assay.valuation.valuator import Problem, Run, Valuation

Portion = Callable[..., PreparedData]


def publish(portion: Portion, name: str = "directed", **choices: Any) -> Valuation:
    privacy = privacy_of(name, **{"epsilon": 4.0, "paths": 2, **choices})
    valuator = PrivateSemivalue(evaluations=3, bootstrap=2)
    return valuator.valuate(Problem(portion("breast_cancer"), Auto(), privacy), Run(Streams(0), Trainer()))


@pytest.mark.parametrize(
    ("name", "delta"),
    [
        ("directed", "delta=0)"),
        ("directed_private_path", "delta=1e-05)"),
        ("directed_gaussian", "delta=1e-05)"),
        ("directed_subspace", "delta=1e-05)"),
        ("iid", "delta=1e-05)"),
    ],
)
def test_the_guarantee_is_that_of_the_mechanism(portion: Portion, name: str, delta: str) -> None:
    valuation = publish(portion, name)
    assert f"(epsilon=4, {delta}-differentially private" in valuation.statement[0]
    assert "30 rows" in valuation.statement[0]
    assert "one row is left out" in valuation.statement[0]
    assert valuation.statement[0].startswith("With secure noise, which this run did not have, each of the 30 rows")


def test_a_changed_row_is_said_to_be_protected_less(portion: Portion) -> None:
    assert "protected at epsilon=8 " in publish(portion, law="laplace").statement[1]
    worse = epsilon_of(2 * privacy_of("iid", epsilon=4.0).budget.mu, 1e-5)
    said = float(publish(portion, "iid").statement[1].split("epsilon=")[1].split()[0])
    assert worse <= said < worse * 1.001  # rounded up, never down
    replaced = publish(portion, relation="replace_one")
    assert "one row is replaced by any other" in replaced.statement[0]
    assert "left out is protected at the same epsilon" in replaced.statement[1]


def test_seeded_noise_is_said_to_protect_nobody_who_knows_the_seed(portion: Portion) -> None:
    assert "protects nobody" in publish(portion).statement[3]
    secure = publish(portion, secure_noise=True).statement
    assert "the guarantee stands" in secure[3]
    assert secure[0].startswith("Each of the 30 rows is protected")


def test_the_interval_is_explained_for_what_it_is(portion: Portion) -> None:
    along_public = publish(portion).statement[5]
    assert "90 % prediction interval" in along_public
    assert "cannot be read from them" in along_public  # no words about signs
    along_private = publish(portion, "directed_private_path").statement[5]
    assert "90 % prediction interval" in along_private
    assert "cannot be read from them" not in along_private
    assert "hardly ever covers" in publish(portion, stand_ins=0).statement[5]
    assert "what the clip takes away is not in it" in publish(portion, "running_mean").statement[5]


def test_without_a_mechanism_there_is_nothing_to_publish(portion: Portion) -> None:
    with pytest.raises(InputError, match="privacy=none: values for publication need a privacy mechanism"):
        publish(portion, "none")


def test_two_releases_from_one_seed_lay_the_values_bare_and_the_statement_says_so(portion: Portion) -> None:
    """Laplace noise of epsilon 1 is twice that of epsilon 2 for the same draws: the difference has no noise left."""
    valuations = {e: publish(portion, epsilon=e, law="laplace", clip=0.001, stand_ins=0) for e in (1.0, 2.0)}
    bare = 2 * valuations[2.0].values.value - valuations[1.0].values.value
    assert np.abs(bare).max() <= 0.001 + 1e-5
    assert "one can be subtracted from the other" in valuations[1.0].statement[6].replace("  ", " ")
