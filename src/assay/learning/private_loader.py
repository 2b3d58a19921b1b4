"""The batches of a private training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytorch_lightning import LightningModule
from torch import Tensor

from assay.errors import InputError
from assay.gradients import PerSampleGradients
from assay.gradients.rewrites import whole
from assay.learning.poisson_loader import PoissonLoader
from assay.privacy.plan import TrainingPlan

NEAR = 0.1  # share of the planned rows by which a table may differ from the plan


def parts_within_memory(module: LightningModule, plan: TrainingPlan) -> int:
    """The parts that a step's batch is cut into so that written-out gradients stay within bounds; 1 for layers with a rule.

    Poisson samples differ in size: six deviations beyond the mean have room.
    """
    numbers = PerSampleGradients(module, audit=False, entry="training_step").numbers_written_out
    batch = plan.sampler.expected_batch_size
    most = max(1, whole.LARGEST // max(1, numbers))
    return math.ceil((batch + 6 * math.sqrt(batch)) / most)


def private_loader(plan: TrainingPlan, tensors: Sequence[Tensor], parts: int = 1) -> PoissonLoader:
    """The batches of a private training: the plan's Poisson samples of `tensors`, whose first axis are their rows.

    The plan's number of rows is a stated, public constant, which sampling rate and divisor come from; the table may have up
    to a tenth more or fewer, so that a row more changes nothing but its own part. Raises InputError beyond that, and for
    tensors of different lengths.
    """
    planned, rows = plan.sampler.rows, len(tensors[0])
    for tensor in tensors:
        if len(tensor) != rows:
            raise InputError("rows", len(tensor), f"the first tensor has {rows}", "one row each for every sample")
    if abs(rows - planned) > NEAR * planned:
        limit = f"the plan is for {planned}, and serves a tenth more or fewer"
        raise InputError("rows", rows, limit, "plan_training(rows=...) with a public number near it")
    return PoissonLoader(tensors, plan.sampler.of_table(rows), plan.steps, parts=parts)
