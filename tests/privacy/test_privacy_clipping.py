"""The clip of vectors and numbers, against its definition written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.gradients.clipping import shrinkage
from assay.privacy.clipping import RULES, Clip, clipped_numbers
from assay.privacy.relations import Relation, Sensitivity


def clip(norm: float = 1.0, roundings: int = 8) -> Clip:
    return Clip(Sensitivity(norm, Relation.ZERO_OUT), roundings)


def test_directions_stay_and_what_is_no_number_becomes_zero() -> None:
    vectors = torch.tensor([[3.0, 4.0], [0.3, 0.4], [float("nan"), 1.0], [float("inf"), 0.0]], dtype=torch.float64)
    clipped = clip()(vectors)
    torch.testing.assert_close(clipped[0], torch.tensor([0.6, 0.8], dtype=torch.float64))
    assert torch.equal(clipped[1], vectors[1])
    assert (clipped[2:] == 0).all()
    assert float(clipped.norm(dim=1).max()) < 1.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(norm=st.floats(1e-3, 1e3), scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
def test_no_vector_is_longer_than_the_clipping_norm(dtype: torch.dtype, norm: float, scale: float, seed: int) -> None:
    vectors = torch.from_numpy(np.random.default_rng(seed).standard_normal((5, 3, 7))).to(dtype) * scale
    clipped = clip(norm)(vectors)
    assert float(clipped.double().norm(dim=-1).max()) <= norm
    slow = [v * min(1.0, norm / float(v.double().norm())) for v in vectors.reshape(-1, 7)]
    torch.testing.assert_close(
        clipped.reshape(-1, 7), torch.stack(slow), rtol=1e-4 if dtype is torch.float32 else 1e-12, atol=0
    )


def test_a_clip_without_room_for_rounding_would_pass_the_norm() -> None:
    """The broken variant: some vector lies above the limit in its last bits."""
    vectors = torch.from_numpy(np.random.default_rng(0).standard_normal((2_000, 7)))
    lengths = clip(1.0, roundings=0)(vectors).numpy()
    exact = np.array([math.sqrt(math.fsum(x * x for x in row)) for row in lengths])
    assert exact.max() > 1.0


def test_a_mean_of_clipped_vectors_keeps_the_norm_with_more_room() -> None:
    vectors = torch.ones(1_000, 1, dtype=torch.float32) * 3
    assert float(clip(0.1, roundings=8 + 1_000)(vectors).mean(0).double().norm()) <= 0.1


def test_a_clip_carries_its_sensitivity() -> None:
    assert Clip(Sensitivity(0.5, Relation.REPLACE_ONE)).sensitivity.value == 1.0


def test_numbers_are_drawn_in_to_the_clip() -> None:
    numbers = torch.tensor([3.0, -3.0, 0.5, float("nan"), float("inf")], dtype=torch.float64)
    assert clipped_numbers(numbers, 2.0).tolist() == [1.0, -1.0, 0.25, 0.0, 0.0]


@pytest.mark.parametrize("name", RULES)
def test_rules_for_sums_keep_the_same_bound(name: str) -> None:
    """One factor serves rows and sums: the norm over all layers of a sample's weighted gradient is C at most."""
    norms = torch.tensor([[3.0, 0.1], [4.0, 0.2]], dtype=torch.float64)
    weights = RULES[name](0.7).weights(norms, ["a", "b"])
    assert float((weights * norms).norm(dim=0).max()) <= 0.7
    assert RULES[name](0.7).bound(["a", "b"]) == pytest.approx(0.7)


def test_one_factor_for_rows_and_sums() -> None:
    norms = torch.tensor([0.1, 1.0, 5.0], dtype=torch.float64)
    assert torch.equal(RULES["flat"](1.0).weights(norms[None], ["a"]), shrinkage(norms, 1.0))
