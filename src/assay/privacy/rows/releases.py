"""Base class of mechanisms that release something of single rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from assay.config.limits import Limit
from assay.errors import InputError
from assay.privacy.option import Budgeted

if TYPE_CHECKING:
    from assay.config.choices import Choices

RowRelation = Annotated[
    Literal["zero_out", "replace_one", "add_remove"],
    Limit(
        lambda relation: relation != "add_remove",
        "a release of a row shows that the row is there",
        "use privacy.relation=zero_out or replace_one",
    ),
]


@dataclass(frozen=True)
class RowReleases(Budgeted):
    """Releases that bear the name of a row, so that the number and ids of rows are public.

    `relation`: zero_out (a row vanishes from its slot) or replace_one.
    """

    relation: RowRelation = "zero_out"

    def check(self, run: Choices) -> None:
        """Raises InputError for secure noise in single precision as well."""
        super().check(run)
        if self.secure_noise and run.trainer.precision == 32:
            limit = "single precision leaves gaps in the noise, which reveal the noised number"
            raise InputError("privacy.secure_noise", "true", limit, "use trainer.precision=64")
