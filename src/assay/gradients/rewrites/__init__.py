"""Modules without a rule: their forward is rewritten while a batch is recorded, one kind a file."""

from assay.gradients.rewrites.registry import Rewrite, rewrite_for, unit_of, writes_out

__all__ = ["Rewrite", "rewrite_for", "unit_of", "writes_out"]
