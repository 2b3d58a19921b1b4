"""The mechanisms by which a table of values is made private."""

from __future__ import annotations

from enum import StrEnum


class Mechanism(StrEnum):
    """What is released of each row, and how its noise is drawn and correlated."""

    NONE = "none"
    IID = "iid"
    RUNNING_MEAN = "running_mean"
    RUNNING_MEAN_BURN_IN = "running_mean_burn_in"
    FRONT_LOADED = "front_loaded"
    LOWER_TRIANGULAR = "lower_triangular"
    PUBLIC_CLIP = "public_clip"
    VECTOR_RELEASE = "vector_release"
    DIRECTED = "directed"
    DIRECTED_GAUSSIAN = "directed_gaussian"
    DIRECTED_PRIVATE_PATH = "directed_private_path"
    DIRECTED_SUBSPACE = "directed_subspace"

    @property
    def private(self) -> bool:
        """Whether releases are clipped, noised and accounted for."""
        return self is not Mechanism.NONE

    @property
    def reuses(self) -> bool:
        """Whether releases are kept and combined, rather than each being stepped along once."""
        kept = (Mechanism.RUNNING_MEAN, Mechanism.FRONT_LOADED, Mechanism.LOWER_TRIANGULAR, Mechanism.VECTOR_RELEASE)
        return self.burns_in or self in kept

    @property
    def burns_in(self) -> bool:
        """Whether the first rounds are left out of the values."""
        return self in (Mechanism.RUNNING_MEAN_BURN_IN, Mechanism.PUBLIC_CLIP)

    @property
    def clips_by_public_rows(self) -> bool:
        """Whether the clipping norm is read from the valid split rather than given."""
        return self in (Mechanism.PUBLIC_CLIP, Mechanism.VECTOR_RELEASE)

    @property
    def one_release(self) -> bool:
        """Whether each row's data is released once, so that the number of evaluations does not matter to privacy."""
        return self.directed or self is Mechanism.VECTOR_RELEASE

    @property
    def directed(self) -> bool:
        """Whether one clipped number of each row is released, or a few of them, rather than its gradients."""
        return self in (
            Mechanism.DIRECTED,
            Mechanism.DIRECTED_GAUSSIAN,
            Mechanism.DIRECTED_PRIVATE_PATH,
            Mechanism.DIRECTED_SUBSPACE,
        )
