"""privacy=lower_triangular."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from assay.config.limits import matches
from assay.errors import InputError
from assay.privacy.rows.gradients import GivenNorm
from assay.privacy.rows.reuse import ReuseMatrix

if TYPE_CHECKING:
    from assay.config.choices import Choices


@dataclass(frozen=True)
class LowerTriangular(GivenNorm):
    """Past private gradients combined by a lower-triangular matrix from a file."""

    reuses: ClassVar[bool] = True
    combines_by_matrix: ClassVar[bool] = True

    name: str = "lower_triangular"
    matrix: Annotated[str | None, matches(r".+\.(csv|npy)", "must be a .csv or .npy file", "e.g. weights.csv")] = None

    def reuse_matrix(self, evaluations: int, wave: int = 1) -> ReuseMatrix:
        """The matrix in the file; InputError, which names the row, where it cannot be carried out."""
        return ReuseMatrix.read(self.matrix or "", evaluations, wave)

    def check(self, run: Choices) -> None:
        """Raises InputError without a file as well."""
        super().check(run)
        remedy = "add privacy.matrix=... with a .csv or .npy file"
        if self.matrix is None:
            raise InputError("privacy.matrix", "null", f"privacy={self.name} needs the matrix", remedy)
        if not Path(self.matrix).expanduser().is_file():
            raise InputError("privacy.matrix", self.matrix, "there is no such file", remedy)
