"""The callback by which a mechanism reuses releases, refused where its memory would not suffice."""

from __future__ import annotations

from assay.errors import InputError
from assay.learning.callbacks.combine_releases import CombineReleases
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.privacy.rows.gradients import RowGradients

Reuse = ReuseReleases | CombineReleases
ROOM = 500_000_000  # numbers: 4 GB in double precision


def open_reuse(
    mechanism: RowGradients, *, rows: int, parameters: int, evaluations: int, replicates: int, wave: int, key: str
) -> Reuse | None:
    """An empty means of reuse; None where each step is along the last release.

    Raises InputError when the matrix cannot be used, or for more than `ROOM` numbers in memory: n P for each replicate,
    twice that with waves, n k P for combinations by a matrix. `key` names the setting behind the replicates.
    """
    if not mechanism.reuses:
        return None
    vectors = evaluations if mechanism.combines_by_matrix else 1 if wave == 1 else 2
    numbers = replicates * rows * vectors * parameters
    if numbers > ROOM:
        per_row = f" x {vectors}" if vectors > 1 else ""
        limit = f"keeps {replicates} x {rows} rows{per_row} x {parameters} parameters, above {ROOM:,} numbers"
        raise InputError(key, replicates if key != "privacy" else mechanism.name, limit, _remedy(key, vectors))
    if mechanism.combines_by_matrix:
        return CombineReleases(rows, mechanism.reuse_matrix(evaluations, wave), replicates)
    return ReuseReleases(rows, mechanism.release_weights(evaluations), replicates)


def _remedy(key: str, vectors: int) -> str:
    if key == "valuation.bootstrap":
        return "lower it, or leave the standard errors out with valuation.bootstrap=0"
    if vectors > 2:
        return "use privacy=running_mean or front_loaded, fewer rows or a smaller model"
    return "use fewer rows or replicates, a smaller model, or valuation.wave=1"
