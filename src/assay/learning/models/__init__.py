"""Models whose parameters carry a replicate axis, so that many fits cost about as much as one."""

from assay.learning.models.build import ModelSpec, build_model
from assay.learning.models.heads import Head
from assay.learning.models.replicated import ReplicatedModel

__all__ = ["Head", "ModelSpec", "ReplicatedModel", "build_model"]
