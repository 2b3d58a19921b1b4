"""Values under a convolutional network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.learning.models.cnn import Cnn
from assay.learning.trainer import Trainer
from assay.runs.streams import Streams
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run


@pytest.mark.parametrize("mechanism", ["iid", "running_mean_burn_in", "public_clip", "vector_release"])
def test_a_cnn_is_valued_privately_and_in_waves(portion: Callable[..., PreparedData], mechanism: str) -> None:
    data, privacy = portion("digits", train=10, valid=20), privacy_of(mechanism, epsilon=4.0, burn_in=0.5)
    by_wave = {}
    for wave in (1, 2) if mechanism != "vector_release" else (1,):
        valuator = GradientSemivalue(evaluations=4, wave=wave)
        by_wave[wave] = valuator.replicates(Problem(data, Cnn(), privacy), Run(Streams(0), Trainer()), 1)
        assert (by_wave[wave].touches == (1 if mechanism == "vector_release" else 4)).all()
        assert by_wave[wave].epsilon <= 4.0
        assert (by_wave[wave].values != 0).all()
    if mechanism == "iid":
        np.testing.assert_allclose(by_wave[2].values, by_wave[1].values, rtol=1e-6, atol=1e-9)
