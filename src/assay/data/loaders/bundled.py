"""Datasets that scikit-learn carries: no archive, no network."""

from __future__ import annotations

import hashlib
from typing import Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.provenance import Provenance


def diabetes() -> Dataset:
    """442 x 10, regression."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    return build_dataset(_columns(bunch), bunch.target, kind="regression", provenance=_provenance(bunch))


def breast_cancer() -> Dataset:
    """569 x 30, 2 classes."""
    from sklearn.datasets import load_breast_cancer

    return _classes(load_breast_cancer())


def wine() -> Dataset:
    """178 x 13, 3 classes."""
    from sklearn.datasets import load_wine

    return _classes(load_wine())


def digits() -> Dataset:
    """1797 x 8 x 8, 10 classes, as images of 0..255."""
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return build_dataset(
        {"image": np.rint(bunch.images * (255 / 16)).astype(np.uint8)},
        bunch.target,
        kind="classification",
        classes=[str(digit) for digit in bunch.target_names],
        types={"image": "image"},
        provenance=_provenance(bunch),
    )


def _classes(bunch: Any) -> Dataset:
    labels = [str(label) for label in bunch.target_names]
    return build_dataset(
        _columns(bunch), bunch.target, kind="classification", classes=labels, provenance=_provenance(bunch)
    )


def _columns(bunch: Any) -> dict[str, Any]:
    return {str(column): bunch.data[:, index] for index, column in enumerate(bunch.feature_names)}


def _provenance(bunch: Any) -> Provenance:
    import numpy as np
    import sklearn

    digest = hashlib.sha256(np.ascontiguousarray(bunch.data, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(bunch.target, dtype="<f8").tobytes())
    return Provenance("built in", f"scikit-learn=={sklearn.__version__}", digest.hexdigest())
