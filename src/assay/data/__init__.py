"""Where data comes from, and how it becomes train, valid and test arrays.

A dataset is stored as an Arrow table with roles (`dataset.py`); arrays exist at the edge only (`preparation.py`).
Importing this package loads neither pandas, scikit-learn, datasets nor torch.
"""

from assay.data.encoding.encoders import list_encoders
from assay.data.own.columns import check_columns, local_checksum
from assay.data.preparation import prepare
from assay.data.records import Arrays, PreparedData, Provenance
from assay.data.sources.catalogue import list_datasets
from assay.data.sources.store import fetch, verify

__all__ = [
    "Arrays",
    "PreparedData",
    "Provenance",
    "check_columns",
    "fetch",
    "list_datasets",
    "list_encoders",
    "local_checksum",
    "prepare",
    "verify",
]
