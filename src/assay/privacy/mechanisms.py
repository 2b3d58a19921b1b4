"""The mechanisms by which a table of values is made private."""

from __future__ import annotations

from enum import StrEnum


class Mechanism(StrEnum):
    """What is released of each row, and how its noise is drawn and correlated."""

    NONE = "none"
    IID = "iid"
    RUNNING_MEAN = "running_mean"
    RUNNING_MEAN_BURN_IN = "running_mean_burn_in"
    DIRECTED = "directed"
    DIRECTED_GAUSSIAN = "directed_gaussian"
    DIRECTED_PRIVATE_PATH = "directed_private_path"

    @property
    def private(self) -> bool:
        """Whether releases are clipped, noised and accounted for."""
        return self is not Mechanism.NONE

    @property
    def reuses(self) -> bool:
        """Whether a step is the mean of all of the row's releases so far, rather than the last one."""
        return self in (Mechanism.RUNNING_MEAN, Mechanism.RUNNING_MEAN_BURN_IN)

    @property
    def one_release(self) -> bool:
        """Whether each row's data is released once, so that the number of evaluations does not matter to privacy."""
        return self.directed

    @property
    def directed(self) -> bool:
        """Whether one clipped number of each row is released, rather than its gradients."""
        return self in (Mechanism.DIRECTED, Mechanism.DIRECTED_GAUSSIAN, Mechanism.DIRECTED_PRIVATE_PATH)
