"""Estimators of scikit-learn and of the user's own: by the name of a class, and as live objects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models import Model, Shape
from assay.learning.models.scikit_learn import Estimator, Sklearn

FEATURES, CLASSES = load_wine(return_X_y=True)
WINE = Shape("classification", 3, 13)
FOREST = "sklearn.ensemble.RandomForestClassifier"


class Nearest:
    """A classifier by the nearest row, with nothing of scikit-learn's but fit and predict."""

    def fit(self, features: Any, target: Any) -> Nearest:
        self.features, self.target = features, target
        return self

    def predict(self, features: Any) -> Any:
        distance = ((features[:, None] - self.features[None]) ** 2).sum(axis=2)
        return self.target[distance.argmin(axis=1)]


def run_on(kind: str, modality: str = "table", encoder: str | None = None) -> Any:
    dataset = SimpleNamespace(
        name="x", kind=kind, modality=modality, preprocess=SimpleNamespace(encoder=encoder, tokens=None)
    )
    return SimpleNamespace(dataset=dataset)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_class_and_a_live_object_are_scikit_learns_own_fit_with_the_seed(seed: int) -> None:
    by_name = Sklearn(FOREST, {"n_estimators": 5})
    live = RandomForestClassifier(n_estimators=5)
    expected = RandomForestClassifier(n_estimators=5, random_state=seed).fit(FEATURES, CLASSES).predict_proba(FEATURES)
    for model in (by_name, Estimator(live)):
        predicted = Learner(model, WINE).fit(FEATURES, CLASSES, seed=seed).predict(FEATURES)
        np.testing.assert_array_equal(predicted, expected)
    assert not hasattr(live, "estimators_")
    assert live.random_state is None


def test_a_given_random_state_stays_and_one_inside_a_pipeline_is_set() -> None:
    given = Estimator(RandomForestClassifier(n_estimators=3, random_state=5))
    assert given.unfitted(WINE, 10, seed=1).random_state == 5
    inside = Estimator(make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=3)))
    assert inside.unfitted(WINE, 10, seed=1).get_params()["randomforestclassifier__random_state"] == 1


def test_a_classifier_without_probabilities_is_certain_of_its_predictions() -> None:
    for estimator in (RidgeClassifier(), SVC()):
        predicted = Learner(Estimator(estimator), WINE).fit(FEATURES, CLASSES).predict(FEATURES)
        np.testing.assert_array_equal(predicted.argmax(axis=1), estimator.fit(FEATURES, CLASSES).predict(FEATURES))
        assert set(predicted.ravel()) == {0.0, 1.0}


@pytest.mark.parametrize("model", [Sklearn(FOREST), Sklearn("xgboost.XGBClassifier"), Estimator(RidgeClassifier())])
def test_absent_classes_have_no_probability(model: Model) -> None:
    rows = CLASSES != 1
    predicted = Learner(model, WINE).fit(FEATURES[rows], CLASSES[rows]).predict(FEATURES)
    assert not predicted[:, 1].any()
    assert (predicted.argmax(axis=1) == CLASSES)[rows].mean() > 0.9


def test_a_class_that_only_fits_and_predicts_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.learning.models.scikit_learn._class_of", lambda path: Nearest)
    predicted = Learner(Sklearn("mine.Nearest"), WINE).fit(FEATURES, CLASSES).predict(FEATURES)
    np.testing.assert_array_equal(predicted, np.eye(3)[CLASSES])


def test_regressions_have_predictions_of_one_axis() -> None:
    features, target = load_diabetes(return_X_y=True)
    for name in ("sklearn.cross_decomposition.PLSRegression", "sklearn.ensemble.RandomForestRegressor"):
        predicted = Learner(Sklearn(name), Shape("regression", 0, 10)).fit(features, target).predict(features[:7])
        assert predicted.shape == (7,)
        assert predicted.dtype == np.float64


@pytest.mark.parametrize(
    ("model", "kind", "line"),
    [
        (Sklearn(), "auto", "model.estimator=null: must name a class"),
        (Sklearn("Forest"), "auto", "model.estimator=Forest: must be written package.module.Class"),
        (Sklearn("nowhere.Forest"), "auto", "model.estimator=nowhere.Forest: nowhere cannot be imported"),
        (Sklearn("sklearn.tree.DecisionTre"), "auto", "sklearn.tree has no DecisionTre (did you mean sklearn.tree."),
        (Sklearn("os.system"), "auto", "model.estimator=os.system: is no class"),
        (Sklearn("subprocess.Popen"), "auto", "it has no fit and no predict"),
        (Sklearn("sklearn.cluster.AgglomerativeClustering"), "auto", "is no estimator of a target: it has no predict"),
        (Sklearn("sklearn.cluster.KMeans"), "auto", "is no estimator of a target: it is a clusterer"),
        (Sklearn(FOREST), "regression", "model=sklearn: fits classes and dataset=x is a regression dataset"),
        (
            Sklearn("sklearn.svm.SVR"),
            "classification",
            "model=sklearn: fits numbers and dataset=x is a classification dataset",
        ),
        (Sklearn(FOREST, {"n_estimater": 5}), "auto", "model.arguments.n_estimater=5: RandomForestClassifier has no"),
        (
            Estimator(RandomForestRegressor()),
            "classification",
            "model=estimator: fits numbers and dataset=x is a classification",
        ),
        (Estimator(), "auto", "model.estimator=null: is a live object"),
        (Estimator(object()), "auto", "model.estimator=object: is no estimator of a target"),
        (Estimator(Nearest()), "auto", "model.estimator=Nearest: cannot be cloned"),
    ],
)
def test_a_useless_estimator_is_refused_in_one_line_before_a_run(model: Model, kind: str, line: str) -> None:
    with pytest.raises(InputError) as refused:
        model.check(run_on(kind))
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_weights_of_classes_need_fixed_codes() -> None:
    model = Sklearn(FOREST, {"class_weight": {0: 1.0, 1: 2.0, 2: 3.0}})
    with pytest.raises(InputError, match=r"model\.arguments\.class_weight="):
        model.unfitted(WINE, 10, 0)
    binary = Sklearn(FOREST, {"class_weight": {0: 1.0, 1: 2.0}})
    assert binary.unfitted(Shape("classification", 2, 13), 10, 0).class_weight == {0: 1.0, 1: 2.0}


def test_rows_that_an_estimator_refuses_are_named_in_one_line() -> None:
    learner = Learner(Estimator(KNeighborsRegressor()), Shape("regression", 0, 2))
    fitted = learner.fit(np.zeros((3, 2)), np.arange(3.0))
    with pytest.raises(InputError, match="model=estimator: refuses a fit to 3 rows"):
        fitted.predict(np.zeros((1, 2)))
