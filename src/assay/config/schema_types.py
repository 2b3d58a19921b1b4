"""Types that several schemas share: a number with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from assay.config.limits import Limit, above, at_least, inside, share

Share = Annotated[float, share("0.3 is 30 %")]
Count = Annotated[int, at_least(1, "a whole number from 1 on")]
Evaluations = Annotated[int, at_least(1, "a row needs one evaluation at the least")]
Replicates = Annotated[int, at_least(1, "1 is a single estimate")]
Rate = Annotated[float, above(0, "e.g. 0.05")]
SplitSize = Annotated[float, at_least(0, "a share below 1, or a number of rows from 1 on")]
BurnIn = Annotated[float, at_least(0, "a share of the evaluations below 1, or a number of them from 1 on; 0 keeps all")]
BurnInShare = Annotated[float, Limit(lambda share: 0 <= share < 1, "must be a share from 0 to below 1", "e.g. 0.9")]
PartialShare = Annotated[float, inside(0, 1, "0.1 is 10 %")]
Semivalue = Literal["shapley", "beta", "banzhaf"]
Utility = Literal["negative_loss", "accuracy"]
AtLeastTwo = Annotated[int, at_least(2, "a variance needs two")]
CardinalityDensity = Literal["uniform", "log_uniform"]
LawEstimator = Literal[
    "monte_carlo",
    "likelihood",
    "likelihood_boxed",
    "amortised",
    "empirical_bayes",
    "empirical_bayes_plain",
    "empirical_bayes_power",
    "empirical_bayes_blend",
    "amortised_updated",
]
