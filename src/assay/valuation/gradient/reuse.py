"""The callback by which a mechanism reuses releases, and whether there is room for what it keeps."""

from __future__ import annotations

from assay.errors import InputError
from assay.learning.callbacks.combine_releases import CombineReleases
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.privacy.rows.mechanisms import Mechanism
from assay.privacy.rows.spec import PrivacySpec

Reuse = ReuseReleases | CombineReleases
ROOM = 500_000_000  # numbers: 4 GB in double precision


def open_reuse(
    privacy: PrivacySpec, *, rows: int, parameters: int, evaluations: int, replicates: int, wave: int, key: str
) -> Reuse | None:
    """A means of reuse that has seen nothing yet; None where each step is along the last release.

    Raises InputError when the matrix cannot be used, or when more than `ROOM` numbers would be kept: n P for each
    replicate, twice that with waves, n k P under privacy=lower_triangular. `key` names what set the replicates.
    """
    if not privacy.mechanism.reuses:
        return None
    kept = evaluations if privacy.mechanism is Mechanism.LOWER_TRIANGULAR else 1 if wave == 1 else 2
    numbers = replicates * rows * kept * parameters
    if numbers > ROOM:
        per_row = f" x {kept}" if kept > 1 else ""
        told = f"keeps {replicates} x {rows} rows{per_row} x {parameters} parameters, above {ROOM:,} numbers"
        raise InputError(key, replicates if key != "privacy" else privacy.name, told, _remedy(key, kept))
    if privacy.mechanism is Mechanism.LOWER_TRIANGULAR:
        return CombineReleases(rows, privacy.reuse_matrix(evaluations, wave), replicates)
    return ReuseReleases(rows, privacy.release_weights(evaluations), replicates)


def _remedy(key: str, kept: int) -> str:
    if key == "valuation.bootstrap":
        return "lower it, or leave the standard errors out with valuation.bootstrap=0"
    if kept > 2:
        return "use privacy=running_mean or front_loaded, fewer rows or a smaller model"
    return "use fewer rows or replicates, a smaller model, or valuation.wave=1"
