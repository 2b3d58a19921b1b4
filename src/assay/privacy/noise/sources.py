"""Sources of Gaussian noise: a seed that repeats, or the operating system's entropy."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from assay.privacy.ledger import NoiseKind


class NoiseSource(Protocol):
    """Standard normal noise, drawn afresh for every round."""

    kind: NoiseKind

    def open_round(self, round_number: int) -> Callable[[tuple[int, ...]], Tensor]:
        """The drawing function of one round: shape -> independent N(0, 1) draws."""
        ...


class SeededNoise:
    """Noise that repeats for the same seeds; a known seed voids the guarantee, so this is for research.

    ``seed_of(round)`` names the seed of each round, so that a resumed run draws what the killed one would have drawn.
    """

    kind: NoiseKind = "seeded"

    def __init__(self, seed_of: Callable[[int], int], dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
        self._seed_of, self._dtype, self._device = seed_of, dtype, device

    def open_round(self, round_number: int) -> Callable[[tuple[int, ...]], Tensor]:
        """Draws on the processor, so that the same seed gives the same noise on every device."""
        generator = torch.Generator().manual_seed(self._seed_of(round_number))

        def draw(shape: tuple[int, ...]) -> Tensor:
            return torch.randn(shape, generator=generator, dtype=self._dtype).to(self._device)

        return draw


class SecureNoise:
    """Noise from the operating system's entropy, of which nothing is recorded.

    Each draw is half the sum of four normals, which removes the gaps in the set of reachable doubles that reveal a value
    under floating-point noise (Holohan & Braghin 2021, "Secure random sampling in differential privacy").
    """

    kind: NoiseKind = "secure"

    def __init__(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
        self._dtype, self._device = dtype, device

    def open_round(self, round_number: int) -> Callable[[tuple[int, ...]], Tensor]:
        """Every round reads the entropy source anew; the number is not used."""
        return self._draw

    def _draw(self, shape: tuple[int, ...]) -> Tensor:
        count = int(np.prod(shape))
        bits = np.frombuffer(os.urandom(32 * count), dtype=np.uint64).reshape(4, count)
        # 52 bits and a half: exact, symmetric about 1/2 and never 0 or 1, where the normal would be infinite
        uniform = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        normal: Tensor = torch.special.ndtri(torch.from_numpy(uniform)).sum(0) / 2
        return normal.reshape(shape).to(device=self._device, dtype=self._dtype)


def open_noise(
    secure: bool, seed_of: Callable[[int], int], dtype: torch.dtype, device: torch.device | str = "cpu"
) -> NoiseSource:
    """The secure source, which does not use `seed_of`, or the seeded one."""
    return SecureNoise(dtype, device) if secure else SeededNoise(seed_of, dtype, device)
