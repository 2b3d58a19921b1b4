"""Datasets that scikit-learn carries: no archive, no network."""

from __future__ import annotations

import hashlib
from typing import Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.records import Provenance


def load_built_in(name: str) -> Dataset:
    """diabetes, breast_cancer, wine or digits out of the installed scikit-learn."""
    import numpy as np
    import sklearn
    from sklearn import datasets as bundled

    loaders: dict[str, Any] = {
        "diabetes": bundled.load_diabetes,
        "breast_cancer": bundled.load_breast_cancer,
        "wine": bundled.load_wine,
        "digits": bundled.load_digits,
    }
    bunch = loaders[name]()
    digest = hashlib.sha256(np.ascontiguousarray(bunch.data, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(bunch.target, dtype="<f8").tobytes())
    provenance = Provenance("built in", f"scikit-learn=={sklearn.__version__}", digest.hexdigest())
    if name == "digits":
        images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        return build_dataset(
            {"image": images},
            bunch.target,
            kind="classification",
            classes=[str(digit) for digit in bunch.target_names],
            types={"image": "image"},
            provenance=provenance,
        )
    features = {str(column): bunch.data[:, index] for index, column in enumerate(bunch.feature_names)}
    if name == "diabetes":
        return build_dataset(features, bunch.target, kind="regression", provenance=provenance)
    classes = [str(label) for label in bunch.target_names]
    return build_dataset(features, bunch.target, kind="classification", classes=classes, provenance=provenance)
