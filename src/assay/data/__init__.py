"""Where data comes from, and how it becomes train, valid and test arrays.

A dataset is stored as an Arrow table with roles (`dataset.py`); arrays exist at the edge only (`preparation.py`).
Importing this package loads neither pandas, scikit-learn, datasets nor torch.
"""

from assay.data.encoding.encoders import list_encoders
from assay.data.neighbours import CHANGES, Change
from assay.data.options import DatasetOptions
from assay.data.preparation import prepare
from assay.data.provenance import Provenance
from assay.data.publication import public_facts
from assay.data.records import Arrays, PreparedData
from assay.data.sources.absent import absent
from assay.data.sources.catalogue import list_datasets
from assay.data.sources.store import fetch, verify
from assay.data.table import Table

__all__ = [
    "CHANGES",
    "Arrays",
    "Change",
    "DatasetOptions",
    "PreparedData",
    "Provenance",
    "Table",
    "absent",
    "fetch",
    "list_datasets",
    "list_encoders",
    "prepare",
    "public_facts",
    "verify",
]
