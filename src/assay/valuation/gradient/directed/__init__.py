"""The directed release: values along trajectories that reveal no row, one clipped number of each row, released once.

`subspace` releases a few numbers of each row in place of one, and `shares` splits the budget over several utilities.
"""

from __future__ import annotations

from assay.valuation.gradient.directed.estimate import directed_estimates, directed_valuation
from assay.valuation.gradient.directed.shares import budget_shares
from assay.valuation.gradient.directed.subspace import subspace_estimates, subspace_valuation

__all__ = ["budget_shares", "directed_estimates", "directed_valuation", "subspace_estimates", "subspace_valuation"]
