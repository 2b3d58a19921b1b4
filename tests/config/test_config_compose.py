"""Choices that compose, their types, and what a user may add."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay.config import compose, conf_root, experiments_root, listing
from assay.config.root import GROUPS
from assay.errors import AssayError
from assay.runs.fingerprint import fingerprint

MATRIX = Path(__file__).parent / "matrix.csv"
DAMAGED, OWNED = "dataset.corruption.labels=0.3", "dataset.sources.count=4"
NEEDS = {
    "csv": ["dataset.path=x.csv", "dataset.target=y"],
    "jsonl": ["dataset.path=x.jsonl", "dataset.target=y"],
    "arrow": ["dataset.path=x.arrow", "dataset.target=y"],
    "excel": ["dataset.path=x.xlsx", "dataset.target=y"],
    "parquet": ["dataset.path=x.parquet", "dataset.target=y"],
    "huggingface": ["dataset.path=owner/name", "dataset.target=y"],
    "xgboost": ["valuation=semivalue"],
    "svm": ["valuation=semivalue", "dataset=wine"],
    "module": ["task=train", "model.target=torch.nn.Linear"],
    "sklearn": ["valuation=semivalue", "model.estimator=sklearn.tree.DecisionTreeRegressor"],
    "mlp_adam": ["valuation=semivalue"],
    "logistic": ["dataset=wine"],
    "bag_of_words": ["dataset=rotten_tomatoes"],
    "cnn": ["dataset=digits"],
    "lower_triangular": [f"privacy.matrix={MATRIX}"],
    "lightning": ["logger.target=pytorch_lightning.loggers.MLFlowLogger"],
    "white": ["task=train"],
    "estimation_uncertainty": ["privacy=running_mean_burn_in", DAMAGED],
    "label_noise": ["privacy=running_mean_burn_in", DAMAGED],
    "selection_curve": ["privacy=running_mean_burn_in"],
    "membership": ["privacy=running_mean_burn_in"],
    "party_uncertainty": ["privacy=running_mean_burn_in", OWNED],
    "party_value": [OWNED],
    "federated": ["privacy=running_mean", OWNED],
    "audit": ["privacy=directed"],
    "training_audit": ["privacy=white"],
    "law_theory": ["dataset=synthetic_regression", "model=linear"],
}
LIVE = {("dataset", "frame"), ("model", "estimator")}  # take an object from Python
SHIPPED = [(group, name) for group, names in listing.groups().items() for name in names if (group, name) not in LIVE]


@pytest.mark.parametrize(("group", "name"), SHIPPED)
def test_every_shipped_option_passes_its_schema(group: str, name: str) -> None:
    config = compose([f"{group}={name}", *(NEEDS.get(name, []) if (group, name) != ("logger", "csv") else [])]).config
    if group != "paths":
        assert config[group]["name"] == name
    assert "hydra" not in config


@pytest.mark.parametrize("name", [name for name, _ in listing.experiments()])
@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
def test_every_shipped_experiment_composes_at_every_scale(name: str, scale: str) -> None:
    config = compose([f"experiment={name}", f"scale={scale}"]).config
    assert config["name"] == name
    assert config["scale"] == scale


def test_every_shipped_option_and_experiment_has_its_line() -> None:
    lines = {(group, name): text for group in listing.groups() for name, text in listing.options(group)}
    lines |= {("experiment", name): text for name, text in listing.experiments()}
    assert [key for key, text in lines.items() if not text or text.startswith("@package")] == []


def test_every_group_has_options() -> None:
    assert set(GROUPS) == set(listing.groups())


def test_numbers_get_their_schema_type() -> None:
    config = compose(["privacy=iid", "privacy.epsilon=8", "valuation.evaluations=1e2", "task=value"]).config
    assert repr(config["privacy"]["epsilon"]) == "8.0"
    assert repr(config["valuation"]["evaluations"]) == "100"
    assert fingerprint(config) == fingerprint(compose(["privacy=iid", "valuation.evaluations=100"]).config)


def test_a_column_may_be_called_by_a_number() -> None:
    config = compose(["dataset=csv", "dataset.path=x.csv", "dataset.target=7", "dataset.features=[1,b]"]).config
    assert config["dataset"]["target"] == "7"
    assert config["dataset"]["features"] == ["1", "b"]


def test_classes_may_be_named_by_numbers_and_merged() -> None:
    chosen = compose(["dataset=digits", "dataset.classes=[3,8]"]).config["dataset"]["classes"]
    assert chosen == ["3", "8"]
    merged = compose(["dataset=digits", "dataset.classes=[[0,2],[1,3]]"]).config["dataset"]["classes"]
    assert merged == [["0", "2"], ["1", "3"]]
    assert (
        compose(["dataset=fashion_mnist", "dataset.classes=[t-shirt,ankle boot]"]).config["dataset"]["classes"][1]
        == "ankle boot"
    )


def test_encoded_text_is_a_table_to_a_model() -> None:
    encoded = ["dataset=rotten_tomatoes", "dataset.preprocess.encoder=minilm"]
    for model in ("auto", "logistic", "mlp"):
        assert compose([*encoded, f"model={model}"]).config["model"]["name"] == model


def test_a_count_of_burn_in_below_every_number_of_evaluations_passes() -> None:
    assert (
        compose(["privacy=running_mean_burn_in", "privacy.burn_in=39", "valuation.evaluations=40"]).config["privacy"][
            "burn_in"
        ]
        == 39
    )


@pytest.mark.parametrize(
    "overrides",
    [
        ["dataset.split={train:0.7,valid:0.2,test:0.1}"],  # 0.7 + 0.2 + 0.1 is a little below 1 in binary
        ["dataset.split={train:0.1,valid:0.2,test:0.7}"],  # and this a little above
        ["dataset.split={train:20,valid:20,test:0}", "dataset.rows=40"],
        ["valuation.utility=accuracy", "dataset=wine"],
        ["valuation=semivalue", "model=xgboost"],
        ["task=estimation_uncertainty", "task.contenders=[none]", DAMAGED],
        ["seed=0"],
    ],
)
def test_what_is_possible_passes(overrides: list[str]) -> None:
    assert compose(overrides).config["progress"] is True


MINE = """
from dataclasses import dataclass
from typing import Annotated

from assay.config.limits import above
from assay.learning.models.affine import Linear


@dataclass(frozen=True)
class Model(Linear):
    width: Annotated[int, above(0, "10 is a start")] = 10
    name: str = "mine"


class Plain:
    def __init__(self, width=10):
        self.width = width
"""


@pytest.mark.parametrize(
    ("overrides", "limit"),
    [
        (["model.width=0"], "model.width=0: must be > 0 (10 is a start)"),
        (["+model.widht=3"], "model.widht=3: unknown key (did you mean model.width?)"),
        (["model._target_=my_options.Plain", "+model.depth=3"], "model.depth=3: unknown key"),
        (["model._target_=my_options.Missing"], "model._target_=my_options.Missing: cannot be imported"),
        (["model._target_=numpy.add"], "model._target_=numpy.add: names a ufunc (name a class"),
        (["model._target_=os.system"], "model._target_=os.system: is of Python's own library, which has no option"),
        (["model._target_=my_options.Plain"], "model._target_=my_options.Plain: is no option of model: it has no"),
    ],
)
def test_a_users_own_option_is_checked_against_its_class(
    overrides: list[str], limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_options.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("_target_: my_options.Model\nwidth: 12\n")
    choices = compose(["model=mine"], config_dir=str(tmp_path))
    assert choices.config["model"]["_target_"] == "my_options.Model"
    assert choices.model.width == 12
    with pytest.raises(AssayError) as caught:
        compose(["model=mine", *overrides], config_dir=str(tmp_path))
    assert str(caught.value).startswith(limit)


def test_a_users_own_option_that_does_not_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("width: 10\n")
    with pytest.raises(AssayError, match=r"^model=mine: .*give it a _target_: package.module.Class\)$"):
        compose(["model=mine"], config_dir=str(tmp_path))


def test_a_users_own_values_for_a_shipped_option_are_checked(tmp_path: Path) -> None:
    (tmp_path / "privacy").mkdir()
    strict = tmp_path / "privacy" / "strict.yaml"
    strict.write_text("defaults: [iid]\nepsilon: 1\n")
    assert compose(["privacy=strict"], config_dir=str(tmp_path)).config["privacy"]["epsilon"] == 1.0
    strict.write_text("defaults: [iid]\nepsilon: -1\n")
    with pytest.raises(AssayError, match=r"^privacy.epsilon=-1: must be > 0"):
        compose(["privacy=strict"], config_dir=str(tmp_path))


def test_a_misspelt_option_also_finds_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "transformer.yaml").write_text("_target_: my.Model\n")
    with pytest.raises(AssayError, match=r"did you mean model=transformer\?"):
        compose(["model=transfomer"], config_dir=str(tmp_path))


def test_choices_and_claims_stand_beside_the_clone() -> None:
    assert (conf_root() / "config.yaml").is_file()
    assert experiments_root().name == "experiments"


def test_an_installed_package_finds_them_beside_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.config import locations

    monkeypatch.setattr(locations, "_PACKAGE", tmp_path / "site" / "assay")
    (tmp_path / "site" / "assay" / "conf").mkdir(parents=True)
    assert locations.conf_root() == tmp_path / "site" / "assay" / "conf"
    assert locations.experiments_root() == tmp_path / "experiments"


def test_composing_and_checking_import_no_torch() -> None:
    code = (
        "import sys; from assay.config import compose; compose(['experiment=quickstart'])\n"
        "print([name for name in ('torch', 'pandas', 'sklearn', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
