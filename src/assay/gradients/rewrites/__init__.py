"""Modules without a rule: their forward is rewritten while a batch is recorded, one kind a file."""

from assay.gradients.rewrites.registry import Rewrite, rewrite_for, unit_of, writes_out
from assay.gradients.rewrites.unit import Unit

__all__ = ["Rewrite", "Unit", "rewrite_for", "unit_of", "writes_out"]
