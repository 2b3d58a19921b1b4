"""Models by their options, a class each, which import torch and scikit-learn only to build."""

from assay.learning.models.model import Model, Shape

__all__ = ["Model", "Shape"]
