"""The questions asked of methods, one a file; a task does not know which method answers."""

from assay.tasks.study import Study, carry_out

__all__ = ["Study", "carry_out"]
