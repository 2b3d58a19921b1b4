"""Per-sample gradients without writing them out: norms, inner products, clipped sums, Gram matrices."""

from assay.gradients.alignment import Alignment
from assay.gradients.clipping import Automatic, ClippedSum, Clipping, Flat, PerLayer
from assay.gradients.engine import PerSampleGradients
from assay.gradients.factors import OverwrittenError
from assay.gradients.plan import last_layers
from assay.gradients.recorded import Recorded
from assay.gradients.refusals import LayerError, UsedOutsideError
from assay.gradients.tape import Tape

__all__ = [
    "Alignment",
    "Automatic",
    "ClippedSum",
    "Clipping",
    "Flat",
    "LayerError",
    "OverwrittenError",
    "PerLayer",
    "PerSampleGradients",
    "Recorded",
    "Tape",
    "UsedOutsideError",
    "last_layers",
]
