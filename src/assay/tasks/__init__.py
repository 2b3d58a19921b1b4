"""The questions asked of methods, one a file; a task does not know which method answers."""

from assay.tasks.study import Task, carry_out

__all__ = ["Task", "carry_out"]
