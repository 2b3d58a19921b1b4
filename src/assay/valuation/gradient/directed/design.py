"""Choice of the law and the clip of a released number, on public rows alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from assay.learning.modules.permutation_pass import Rows
from assay.privacy.budget import Budget
from assay.privacy.clipping import clipped_numbers
from assay.privacy.scalar_laws.law import ScalarLaw
from assay.privacy.scalar_laws.laws import LAWS, law_of
from assay.statistics import spearman

QUANTILES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0)
DRAWS = 24


@dataclass(frozen=True)
class Design:
    """A law, the clip in units of the value, and the Spearman correlation that public rows promised."""

    law: ScalarLaw
    clip: float
    noise_spearman: float


def choose_design(
    public_values: Tensor,
    budget: Budget,
    *,
    laws: Iterable[str] = LAWS,
    clip: float | None = None,
    generator: np.random.Generator,
) -> Design:
    """The law and the quantile of |public_values| [m] whose simulated releases rank the public rows best.

    Guarantee: a function of public rows, the budget and random draws; no private row is read. Centred on 0, the value of a
    row that is not there: a centre between the public values would put most clean rows on one side of it.
    """
    sizes = public_values.abs()
    clips = [clip] if clip is not None else [float(torch.quantile(sizes, q)) for q in QUANTILES]
    clips = sorted({each for each in clips if each > 0}) or [1.0]
    shape = (DRAWS, len(public_values))
    first, second = (torch.from_numpy(generator.standard_normal(shape)) for _ in range(2))
    best: Design | None = None
    for name in laws:
        law = law_of(name, budget)
        for each in clips:
            x = clipped_numbers(public_values, each).expand(shape)
            score = float(spearman(law.release(x, first, second).numpy(), public_values.numpy()).mean())
            if best is None or score > best.noise_spearman:
                best = Design(law, each, score)
    assert best is not None
    return best


def mislabelled(public: Rows, classes: int, generator: np.random.Generator) -> Rows:
    """Public rows with wrong targets: another class, or another row's number where there are no classes."""
    if classes:
        shift = torch.from_numpy(generator.integers(1, classes, len(public)))
        return Rows(public.features, ((public.target.long() + shift) % classes).to(public.target))
    return Rows(public.features, public.target[torch.from_numpy(generator.permutation(len(public)))])
