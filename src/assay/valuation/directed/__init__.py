"""The directed release: values along trajectories that reveal no row, one clipped number of each row, released once."""

from __future__ import annotations

from assay.valuation.directed.estimate import directed_estimates, directed_valuation

__all__ = ["directed_estimates", "directed_valuation"]
