"""Forms of the per-sample gradients of one parameter that need not be written out."""

from assay.gradients.factors.base import Factor
from assay.gradients.factors.convolved import Convolved
from assay.gradients.factors.dense import Dense
from assay.gradients.factors.outer import Outer, outer_products
from assay.gradients.factors.pass_tensor import OverwrittenError, PassTensor
from assay.gradients.factors.scattered import Scattered
from assay.gradients.factors.total import Total, total
from assay.gradients.factors.workspace import Workspace

__all__ = [
    "Convolved",
    "Dense",
    "Factor",
    "Outer",
    "OverwrittenError",
    "PassTensor",
    "Scattered",
    "Total",
    "Workspace",
    "outer_products",
    "total",
]
