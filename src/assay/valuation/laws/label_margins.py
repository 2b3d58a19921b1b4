"""Distance of each point from a linear boundary, on its own label's side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models.auto import Auto
from assay.valuation.contributions.setting import Setting

CERTAIN = 1e-12


def label_margins(setting: Setting) -> NDArray[np.float64]:
    """Log odds [n] of each point's own label under logistic regression on the pool, whatever the setting's model.

    With two classes that is the signed distance to the boundary times the length of the weights. InputError for a
    regression.
    """
    if setting.kind != "classification":
        raise InputError(
            "dataset.kind", setting.kind, "has no boundary between classes", "use a classification dataset"
        )
    learner = Learner(Auto(), setting.shape)
    with threadpool_limits(1):  # sums of several threads are rounded in another order
        chance = learner.fit(setting.pool.features, setting.pool.target).predict(setting.points.features)
    own = chance[np.arange(len(chance)), setting.points.target.astype(np.int64)].clip(CERTAIN, 1 - CERTAIN)
    return np.asarray(np.log(own) - np.log1p(-own))
