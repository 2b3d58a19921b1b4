"""The whole way from a name to arrays: determinism, public fitting, corruption of train alone, sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_helpers import options, settings, streams
from numpy.testing import assert_allclose

from assay.data import PreparedData, prepare
from assay.data.dataset import Dataset, build_dataset
from assay.data.preparation import arrays_of
from assay.data.provenance import Provenance
from assay.errors import AssayError, InputError

BUILT_IN = {"diabetes": (442, 10, 0), "breast_cancer": (569, 30, 2), "wine": (178, 13, 3), "digits": (1797, 64, 10)}


def same(a: PreparedData, b: PreparedData) -> bool:
    parts = [(getattr(a, part), getattr(b, part)) for part in ("train", "valid", "test")]
    fields = ("features", "target", "ids", "clean")
    return all(np.array_equal(getattr(x, field), getattr(y, field)) for x, y in parts for field in fields)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_datasets_have_their_counts(name: str, tmp_path: Path) -> None:
    rows, width, classes = BUILT_IN[name]
    data = prepare(**settings(tmp_path, name))
    ids = np.concatenate([part.ids for part in (data.train, data.valid, data.test)])
    assert sorted(ids) == list(range(rows))
    assert data.train.features.shape[1] == width == len(data.feature_names)
    assert len(data.classes) == classes
    assert data.provenance.provider == "built in"
    assert len(data.provenance.sha256) == 64
    assert not any(tmp_path.iterdir())


def test_diabetes_is_the_scikit_learn_table(tmp_path: Path) -> None:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    data = prepare(**settings(tmp_path, "diabetes", preprocess={"standardize": False}))
    assert_allclose(data.train.features, bunch.data[data.train.ids])
    public = bunch.target[data.valid.ids]
    assert_allclose(data.train.target, (bunch.target[data.train.ids] - public.mean()) / public.std())
    assert data.train.clean.all()
    assert data.train.source is None


def test_the_same_seed_repeats_itself_and_another_does_not(tmp_path: Path) -> None:
    changes = {"corruption": {"labels": 0.3, "features": 0.2}, "rows": 200}
    first = prepare(**settings(tmp_path, "breast_cancer", seed=0, **changes))
    assert same(first, prepare(**settings(tmp_path, "breast_cancer", seed=0, **changes)))
    assert not same(first, prepare(**settings(tmp_path, "breast_cancer", seed=1, **changes)))


def test_corruption_touches_train_alone_and_moves_no_row(tmp_path: Path) -> None:
    clean = prepare(**settings(tmp_path, "diabetes"))
    dirty = prepare(**settings(tmp_path, "diabetes", corruption={"labels": 0.3, "features": 0.1}))
    for part in ("valid", "test"):
        assert (getattr(clean, part).features == getattr(dirty, part).features).all()
        assert (getattr(clean, part).target == getattr(dirty, part).target).all()
        assert getattr(dirty, part).clean.all()
    assert (clean.train.ids == dirty.train.ids).all()
    changed = (clean.train.target != dirty.train.target) | (clean.train.features != dirty.train.features).any(axis=1)
    assert (dirty.train.clean == ~changed).all()
    assert (clean.train.target != dirty.train.target).sum() == round(0.3 * 265)


def test_nothing_that_is_fitted_sees_a_private_row(tmp_path: Path) -> None:
    """Changing train and test rows of a table must not change how valid rows come out, nor the map."""
    generator = np.random.default_rng(0)
    table = generator.standard_normal((100, 3))
    target = generator.standard_normal(100)

    def prepared(matrix: np.ndarray, values: np.ndarray) -> PreparedData:
        dataset = build_dataset(
            {f"x{i}": matrix[:, i] for i in range(3)},
            values,
            kind="regression",
            provenance=Provenance("local path", "t", "0"),
        )
        return finish(dataset, preprocess={"components": 2, "norm": 1.0})

    first = prepared(table, target)
    private = np.concatenate([first.train.ids, first.test.ids])
    other, other_target = table.copy(), target.copy()
    other[private] *= 1000
    other_target[private] += 50
    second = prepared(other, other_target)
    assert (first.valid.features == second.valid.features).all()
    assert (first.valid.target == second.valid.target).all()
    # The map is affine and the same, so a private row that was scaled is scaled about the image of zero.
    assert_allclose(second.train.target - first.train.target, 50 / target[first.valid.ids].std())


def finish(dataset: Dataset, **changes: object) -> PreparedData:
    """`prepare` for a dataset that is at hand."""
    return arrays_of(dataset, options(**changes), streams(0))


def test_a_category_that_no_public_row_has_gets_no_column(tmp_path: Path) -> None:
    towns = [f"town{i}" for i in range(30)]
    dataset = build_dataset(
        {"town": towns},
        np.arange(30.0),
        kind="regression",
        types={"town": "categorical"},
        provenance=Provenance("local path", "t", "0"),
    )
    data = finish(dataset, preprocess={"standardize": False})
    assert set(data.feature_names) == {f"town={towns[row]}" for row in data.valid.ids}
    assert (data.valid.features.sum(axis=1) == 1).all()
    assert (data.train.features == 0).all()


def test_marks_and_sources_that_the_dataset_has_stay(tmp_path: Path) -> None:
    clean = np.arange(60) % 4 != 0
    source = np.arange(60) % 3
    dataset = build_dataset(
        {"x": np.arange(60.0)},
        np.arange(60) % 2,
        kind="classification",
        classes=["a", "b"],
        clean=clean,
        source=source,
        source_names=["p", "q", "r"],
        provenance=Provenance("local path", "t", "0"),
    )
    data = finish(dataset, corruption={"labels": 0.25})
    assert data.source_names == ("p", "q", "r")
    for part in (data.train, data.valid, data.test):
        assert (part.source == source[part.ids]).all()
    for part in (data.valid, data.test):
        assert (part.clean == clean[part.ids]).all()
    flipped = data.train.target != data.train.ids % 2
    assert flipped.sum() == 9
    assert (data.train.clean == (clean[data.train.ids] & ~flipped)).all()
    replaced = finish(dataset, sources={"count": 2})
    assert set(replaced.train.source) == {0, 1}  # type: ignore[arg-type]
    assert replaced.source_names == ()


def test_rows_are_a_stratified_subsample_with_their_own_ids(tmp_path: Path) -> None:
    from sklearn.datasets import load_wine

    data = prepare(**settings(tmp_path, "wine", rows=90, preprocess={"standardize": False}))
    ids = np.concatenate([part.ids for part in (data.train, data.valid, data.test)])
    assert len(np.unique(ids)) == 90
    bunch = load_wine()
    assert (np.abs(np.bincount(bunch.target[ids]) - np.array([59, 71, 48]) * 90 / 178) < 1).all()
    assert_allclose(data.test.features, bunch.data[data.test.ids])


def test_sources_are_those_asked_for(tmp_path: Path) -> None:
    for name in ("wine", "diabetes"):
        data = prepare(**settings(tmp_path, name, sources={"count": 4, "how": "label"}))
        assert data.train.source is not None
        assert np.bincount(data.train.source).min() >= len(data.train) // 4
        assert data.valid.source is None
    order = np.argsort(data.train.source, kind="stable")
    quarters = data.train.target[order].reshape(-1)[: 4 * (len(data.train) // 4)].reshape(4, -1).mean(axis=1)
    assert (np.diff(quarters) > 0).all()


def test_components_rename_the_columns(tmp_path: Path) -> None:
    data = prepare(**settings(tmp_path, "digits", preprocess={"components": 5}))
    assert data.feature_names == tuple(f"component_{i}" for i in range(1, 6))
    assert data.train.features.shape == (1078, 5)


def test_train_rows_of_one_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^dataset.split.train=1: train rows of one class only"):
        prepare(**settings(tmp_path, "wine", split={"train": 1, "valid": 10, "test": 10}))


def test_a_target_that_is_constant_on_valid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="constant on valid"):
        prepare(**settings(tmp_path, "diabetes", split={"train": 10, "valid": 1, "test": 10}))


def test_columns_and_kind_of_a_named_dataset_can_be_changed(tmp_path: Path) -> None:
    data = prepare(**settings(tmp_path, "diabetes", features=["bmi", "sex"], types={"sex": "categorical"}))
    assert [name.split("=")[0] for name in data.feature_names] == ["sex", "sex", "bmi"]
    digits = prepare(**settings(tmp_path, "digits", kind="regression"))
    assert digits.kind == "regression"
    assert digits.valid.target.std() == pytest.approx(1)
    assert len(np.unique(digits.train.target)) == 10


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("diabetes", {"features": ["bmo"]}, "dataset.features=bmo: no such column (did you mean 'bmi'?)"),
        ("diabetes", {"types": {"bmi": "text"}}, "dataset.types.bmi=text: the column is numeric"),
        ("diabetes", {"kind": "classification"}, "dataset.kind=classification: the target is a quantity"),
        ("wine", {"kind": "regression"}, "dataset.kind=regression: the classes are class_0, class_1, class_2"),
        ("digits", {"types": {"image": "ignore"}}, "no feature column is left"),
        ("diabets", {}, "dataset=diabets: no such dataset (did you mean diabetes?)"),
    ],
)
def test_impossible_changes_are_named(name: str, changes: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepare(**settings(tmp_path, name, **changes))
    assert words in str(caught.value)


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, assay.data as d; from pathlib import Path; d.list_datasets(Path('.'));"
        "print([m for m in ('torch','sklearn','datasets','pandas','pyarrow','numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_preparing_loads_no_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from data_helpers import settings; from pathlib import Path;"
        "from assay.data import prepare; prepare(**settings(Path('.'), 'wine')); print('torch' in sys.modules)"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, here], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert done.stderr == ""
