"""The plan of one private training: sampler, clipping, noise and ledger, made together so that they cannot disagree."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from assay.errors import InputError
from assay.gradients.clipping import Clipping
from assay.privacy.accounting.accountants import open_accountant
from assay.privacy.accounting.calibration import noise_multiplier_for
from assay.privacy.accounting.training import NoisySteps, TrainingAccount
from assay.privacy.budget import Budget
from assay.privacy.clipping import RULES
from assay.privacy.ledger import Ledger
from assay.privacy.noise.sources import NoiseSource, open_noise
from assay.privacy.poisson import PoissonSampler
from assay.privacy.relations import Relation, Sensitivity
from assay.runs.streams import Streams


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """`steps` noisy sums of clipped gradients over Poisson samples, their noise and the ledger that they are charged to.

    `noise_multiplier` is the deviation of the noise in clipping norms; the ledger is noted every `note_every` steps.
    """

    sampler: PoissonSampler
    steps: int
    clipping: Clipping
    noise: NoiseSource
    noise_multiplier: float
    ledger: Ledger[NoisySteps]
    note_every: int = 1

    def epsilon(self) -> float:
        """Epsilon spent so far at the budget's delta: 0 before the training, at most the budget after it."""
        return self.ledger.epsilon()


def plan_training(
    *,
    rows: int,
    batch_size: float,
    steps: int,
    epsilon: float,
    delta: float,
    max_grad_norm: float = 1.0,
    relation: str = "add_remove",
    accountant: str = "prv",
    clipping: str = "flat",
    secure: bool = True,
    seed: int | None = None,
    table: str | None = None,
    record: Path | None = None,
    note_every: int = 1,
) -> TrainingPlan:
    """The plan of a private training on `rows` rows, whose `steps` steps spend (epsilon, delta).

    `rows` is stated and public: the table itself may have a tenth more or fewer. `batch_size` is the mean size of a Poisson
    sample. `clipping` is flat, per_layer or automatic, `accountant` prv, rdp or, where every row takes part in every step,
    gaussian. `secure` takes noise and samples from the operating system's entropy; otherwise both repeat with `seed`, and
    whoever knows it can subtract the noise. `table` is an id of the private table for the ledger's entries, `record` a file
    that keeps them.

    Raises InputError for a value beyond its limit and for a budget that no noise reaches.

    Guarantee: training with `PrivateGradients(plan)` on batches of `private_loader(plan, ...)` is (epsilon, delta)-DP under
    the relation; the step that would exceed the budget is refused before it is made.

    >>> plan = plan_training(rows=1000, batch_size=50, steps=40, epsilon=2.0, delta=1e-5, accountant="rdp")
    >>> plan.sampler.sample_rate, plan.epsilon()
    (0.05, 0.0)
    >>> round(plan.noise_multiplier, 2)
    1.2
    """
    if secure and seed is not None:
        raise InputError(
            "seed", seed, "secure noise has no seed", "leave it out, or secure=False to repeat an experiment"
        )
    if not secure and seed is None:
        raise InputError("seed", "None", "noise that repeats needs a seed", "e.g. seed=0, or secure=True")
    if clipping not in RULES:
        raise InputError("clipping", clipping, f"must be one of {', '.join(RULES)}", "flat is the usual one")
    if relation not in tuple(Relation):
        raise InputError("relation", relation, f"must be one of {', '.join(Relation)}", "add_remove is the usual one")
    budget = Budget(epsilon, delta, Relation(relation))
    sensitivity = Sensitivity(max_grad_norm, budget.relation)
    # a known seed shows who takes part in a step, which voids the amplification by sampling
    streams = Streams(secrets.randbits(128) if seed is None else seed)
    sampler = PoissonSampler.of_batch_size(rows, batch_size, partial(streams.generator, "batches"))
    accounts = open_accountant(accountant)
    return TrainingPlan(
        sampler=sampler,
        steps=steps,
        clipping=RULES[clipping](max_grad_norm),
        noise=open_noise(secure, lambda step: streams.seed("noise", step), torch.float64),
        noise_multiplier=noise_multiplier_for(budget, sensitivity, accounts, sampler.sample_rate, steps),
        ledger=Ledger(TrainingAccount(budget, sensitivity, accounts), record, table=table),
        note_every=note_every,
    )
