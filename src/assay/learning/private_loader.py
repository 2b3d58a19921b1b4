"""The batches of a private training."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from assay.errors import InputError
from assay.learning.poisson_loader import PoissonLoader
from assay.privacy.plan import TrainingPlan


def private_loader(plan: TrainingPlan, tensors: Sequence[Tensor], parts: int = 1) -> PoissonLoader:
    """The batches of a private training: the plan's Poisson samples of `tensors`, whose first axis are its rows.

    Raises InputError for tensors of another number of rows than planned for, which the noise would not fit.
    """
    for tensor in tensors:
        if len(tensor) != plan.sampler.rows:
            limit = f"the plan is for {plan.sampler.rows}"
            raise InputError("rows", len(tensor), limit, "plan_training(rows=len(x), ...)")
    return PoissonLoader(tensors, plan.sampler, plan.steps, parts=parts)
