"""Types that several tasks share: a key's type with its limit and remedy."""

from __future__ import annotations

from typing import Annotated, Literal

from assay.config.contenders import Contender
from assay.config.limits import Limit, at_least, inside, not_empty

Count = Annotated[int, at_least(1, "a whole number from 1 on")]
AtLeastTwo = Annotated[int, at_least(2, "a variance needs two")]
Evaluations = Annotated[int, at_least(1, "a row needs one evaluation at the least")]
Sweep = Annotated[tuple[Evaluations, ...], not_empty("e.g. [10,40,160]")]
Level = Literal["record", "client"]
Contenders = Annotated[tuple[Contender, ...], not_empty("e.g. [none,iid]")]
PartialShare = Annotated[float, inside(0, 1, "0.1 is 10 %")]
BurnInShare = Annotated[float, Limit(lambda share: 0 <= share < 1, "must be a share from 0 to below 1", "e.g. 0.9")]
Corrected = Annotated[
    float | None,
    Limit(lambda part: part is None or 0 < part <= 1, "must be above 0 and 1 at most", "null: all exactly"),
]
