"""task=train on texts as token ids: transformers of another library, with and without privacy."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assay.data.encoding.tokens import token_ids
from assay.errors import InputError
from assay.runs import Outcome

Answer = Callable[..., Outcome]
WORDS = ["the", "a", "film", "plot", "actor", "scene", "was", "is", "with", "and", "of", "it,", "quite", "long"]
OWN = """
import transformers
from torch import nn

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}

class Bert(nn.Module):
    def __init__(self, vocabulary: int, inputs: int, outputs: int) -> None:
        super().__init__()
        config = transformers.BertConfig(
            vocab_size=vocabulary, max_position_embeddings=inputs, num_labels=outputs, pad_token_id=0, **SMALL
        )
        self.bert = transformers.BertForSequenceClassification(config)

    def forward(self, ids):
        return self.bert(input_ids=ids, attention_mask=(ids != 0).long()).logits

class Gpt2(nn.Module):
    def __init__(self, vocabulary: int, inputs: int, outputs: int) -> None:
        super().__init__()
        config = transformers.GPT2Config(
            vocab_size=vocabulary, n_positions=inputs, n_embd=16, n_layer=1, n_head=2, num_labels=outputs, pad_token_id=0
        )
        self.gpt2 = transformers.GPT2ForSequenceClassification(config)

    def forward(self, ids):
        return self.gpt2(input_ids=ids, attention_mask=(ids != 0).long()).logits
"""


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """300 texts of 1 to 12 words, good or bad by one of them, and modules of the user's own."""
    pytest.importorskip("transformers")
    generator = np.random.default_rng(0)
    words = np.asarray(WORDS)
    good = generator.integers(0, 2, 300)
    texts = []
    for each in good:
        text = list(generator.choice(words, generator.integers(0, 11)))
        text.insert(int(generator.integers(0, len(text) + 1)), "Wonderful" if each else "dreadful")
        texts.append(" ".join(text) + ".")
    pd.DataFrame({"review": texts, "verdict": np.where(good, "good", "bad")}).to_csv(tmp_path / "r.csv", index=False)
    (tmp_path / "own_texts.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    data = [
        "dataset=csv",
        f"dataset.path={tmp_path / 'r.csv'}",
        "dataset.target=verdict",
        "dataset.types={review: text}",
    ]
    yield [*data, "dataset.preprocess.tokens=16", "dataset.preprocess.buckets=100", "trainer.precision=32"]
    sys.modules.pop("own_texts", None)


OWN_BERT = ("model=module", "model.target=own_texts.Bert")
TRAINED = ("task=train", "model=module", "task.optimizer=adam", "task.learning_rate=0.01", "task.batch_size=30")


@pytest.mark.parametrize("network", ["Bert", "Gpt2"])
def test_a_transformer_learns_texts(answer: Answer, reviews: list[str], network: str) -> None:
    outcome = answer(*TRAINED, *reviews, f"model.target=own_texts.{network}", "task.epochs=12")
    assert outcome.metrics["test/accuracy"] > 0.9


@pytest.mark.parametrize("network", ["Bert", "Gpt2"])
def test_a_transformer_learns_texts_privately(answer: Answer, reviews: list[str], network: str) -> None:
    private = ("privacy=white", "privacy.epsilon=200", "privacy.accountant=rdp", "task.epochs=40")
    outcome = answer(*TRAINED, *reviews, *private, f"model.target=own_texts.{network}")
    assert 0.999 * 200 <= outcome.metrics["epsilon"] <= 200
    assert outcome.metrics["test/accuracy"] > 0.75


def test_a_private_transformer_is_audited(answer: Answer, reviews: list[str]) -> None:
    small = ("task.epochs=1", "task.rows=1", "task.batch_size=30", "privacy=white", "privacy.accountant=rdp")
    outcome = answer("task=training_audit", *reviews, *small, "model=module", "model.target=own_texts.Bert")
    assert outcome.metrics["refuted"] == 0
    assert outcome.metrics["canaries"] == 1000
    assert outcome.metrics["neighbours/measured"] == pytest.approx(1, abs=1e-3)


def test_ids_are_those_of_words_and_end_in_padding() -> None:
    ids = token_ids(["The film, the end", "", "THE plot " * 9], length=5, buckets=1000)
    assert ids.shape == (3, 5)
    assert ids[0, 0] == ids[0, 3] == ids[2, 0]
    assert len(set(ids[0].tolist())) == 4
    assert (ids[1] == 0).all()
    assert (ids[[0, 2]] > 0).all()
    assert ids.max() <= 1000
    assert (token_ids(["film"], 5, 1000)[0] == [ids[0, 1], 0, 0, 0, 0]).all()


@pytest.mark.parametrize(
    ("further", "line"),
    [
        (["model=mlp"], "model=mlp: reads columns of numbers and dataset.preprocess.tokens=16 makes token ids of text"),
        (["dataset.preprocess.components=3"], "dataset.preprocess.components=3: makes numbers of texts"),
        (["dataset.preprocess.encoder=minilm"], "dataset.preprocess.encoder=minilm: makes numbers of texts"),
        (["dataset.corruption.features=0.1"], "dataset.corruption.features=0.1: adds noise to numbers"),
        (["dataset.preprocess.tokens=0"], "dataset.preprocess.tokens=0: must be >= 1"),
        (
            ["dataset.types={review: categorical}"],
            "dataset.preprocess.tokens=16: reads texts, and the column review is",
        ),
    ],
)
def test_what_has_no_token_ids_is_one_line(answer: Answer, reviews: list[str], further: list[str], line: str) -> None:
    with pytest.raises(InputError) as caught:
        answer("task=train", *reviews, *(further if "model=mlp" in further else [*OWN_BERT, *further]))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_columns_of_numbers_are_no_texts(answer: Answer, reviews: list[str]) -> None:
    with pytest.raises(InputError, match="reads texts and dataset=digits is a dataset of images"):
        answer(
            "task=train", "model=module", "model.target=own_texts.Bert", "dataset=digits", "dataset.preprocess.tokens=4"
        )


def test_the_loss_of_a_text_depends_on_no_padding(answer: Answer, reviews: list[str]) -> None:
    """More positions than the longest text has change nothing but the number of position embeddings."""
    import torch

    from assay.learning.models.model import Shape
    from assay.learning.models.module import Module

    torch.manual_seed(0)
    network = Module("own_texts.Bert").network(Shape("classification", 2, 32, "tokens", 101)).eval()
    short, long = (torch.from_numpy(token_ids(["a dreadful film"], length, 100)) for length in (8, 32))
    assert torch.allclose(network(short), network(long), atol=1e-6)
    assert math.isfinite(float(network(torch.zeros(1, 32, dtype=torch.long)).detach().sum()))
