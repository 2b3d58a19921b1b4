"""task=train: real data, with and without privacy, resumable, and the test split touched once."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from assay.data import PreparedData
from assay.errors import AssayError, InputError
from assay.learning.models import Shape
from assay.learning.models.cnn import Cnn
from assay.learning.models.mlp import Mlp
from assay.learning.models.torch_networks import build_network
from assay.privacy.white import WhiteNoise
from assay.runs import Outcome, Streams
from assay.statistics import detection_auc

Answer = Callable[..., Outcome]
DIGITS = ("task=train", "dataset=digits", "task.epochs=8", "task.batch_size=64", "trainer.precision=32")
PRIVATE = ("privacy=white", "privacy.epsilon=8", "privacy.accountant=rdp")


@pytest.mark.parametrize("model", ["auto", "mlp", "cnn"])
def test_networks_learn_digits(answer: Answer, model: str) -> None:
    outcome = answer(*DIGITS, f"model={model}")
    assert outcome.metrics["test/accuracy"] > 0.85
    assert "epsilon" not in outcome.metrics
    curve = outcome.tables["curve"]
    assert len(curve) == 8
    assert curve["valid_loss"].iloc[-1] < curve["valid_loss"].iloc[0]


def test_private_training_spends_its_budget_and_says_so(answer: Answer) -> None:
    outcome = answer(*DIGITS, *PRIVATE)
    assert 0.999 * 8 <= outcome.metrics["epsilon"] <= 8
    assert outcome.metrics["test/accuracy"] > 0.6  # ten classes
    entries = outcome.ledger
    assert entries[-1]["steps"] == outcome.metrics["steps"]
    assert entries[-1]["epsilon"] == pytest.approx(outcome.metrics["epsilon"])


def test_less_privacy_is_less_noise(answer: Answer) -> None:
    noise = [
        answer(
            *DIGITS, "task.epochs=1", *PRIVATE[:1], "privacy.accountant=rdp", f"privacy.epsilon={e}", folder=str(e)
        ).metrics["noise_multiplier"]
        for e in (1, 8)
    ]
    assert noise[0] > 2 * noise[1]


def test_parts_of_a_step_change_nothing_but_memory(answer: Answer) -> None:
    whole, parts = (answer(*DIGITS, *PRIVATE, "trainer.precision=64", f"task.parts={n}", folder=str(n)) for n in (1, 3))
    assert whole.metrics["test/loss"] == pytest.approx(parts.metrics["test/loss"], rel=1e-9)
    assert whole.metrics["steps"] == parts.metrics["steps"]


def test_the_same_seed_repeats_and_another_does_not(answer: Answer) -> None:
    one, again, other = (
        answer(*DIGITS, *PRIVATE, "task.epochs=2", f"seed={seed}", folder=folder)
        for seed, folder in ((0, "a"), (0, "b"), (1, "c"))
    )
    assert dict(one.metrics) == dict(again.metrics)
    assert one.metrics["test/loss"] != other.metrics["test/loss"]


def test_a_regression_is_trained_too(answer: Answer) -> None:
    choices = ("task=train", "dataset=diabetes", "task.learning_rate=0.05", "task.batch_size=32", "task.epochs=20")
    outcome = answer(*choices)
    assert outcome.metrics["test/loss"] < 0.8  # targets have a variance of about 1
    assert "test/accuracy" not in outcome.metrics


def test_the_starting_weights_follow_their_generator_alone() -> None:
    shape = Shape("classification", 3, 64, "image")
    torch.manual_seed(1)
    first = build_network(Cnn(), shape, torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    again = build_network(Cnn(), shape, torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    build_network(Mlp(), shape, torch.Generator().manual_seed(5))
    drawn = torch.rand(1)
    torch.manual_seed(2)
    assert torch.equal(drawn, torch.rand(1))  # the global generator is left alone
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert first(torch.zeros(2, 64)).shape == (2, 3)


@pytest.mark.parametrize("features", [30, 12])
def test_pixels_of_no_square_are_no_image(features: int) -> None:
    with pytest.raises(InputError, match="model=cnn"):
        Cnn().network(Shape("classification", 2, features, "image"))


def test_statistics_point_at_wrong_labels(answer: Answer) -> None:
    """Rows with a wrong label keep large gradients that point away from the others': a free by-product of training."""
    outcome = answer(*DIGITS, "task.statistics=true", "dataset.corruption.labels=0.1", change=keep)
    table = outcome.tables["samples"].set_index("id").loc[PREPARED[-1].train.ids]
    clean = PREPARED[-1].train.clean
    assert len(table) == len(clean)
    assert table["times"].mean() == pytest.approx(8, abs=0.5)
    met = (table["times"] > 0).to_numpy()  # a row misses eight Poisson samples with probability exp(-8)
    assert detection_auc(-table["gradient_norm"].to_numpy()[met], clean[met]) > 0.8
    assert detection_auc(table["alignment"].to_numpy()[met], clean[met]) > 0.55


PREPARED: list[PreparedData] = []


def keep(data: PreparedData) -> PreparedData:
    PREPARED.append(data)
    return data


@pytest.mark.parametrize("secure", [True, False])
def test_who_took_part_is_secret_when_the_noise_is(secure: bool) -> None:
    """Samples that a known seed repeats would leave nothing of the amplification that the account counts on."""
    privacy = WhiteNoise(secure_noise=secure, accountant="rdp")
    plans = [privacy.plan(rows=50, batch_size=10, steps=5, seed=0) for _ in range(2)]
    draws = [plan.sampler.generator(3).random(8) for plan in plans]
    public = Streams(0).generator("batches", 3).random(8)
    assert bool((draws[0] == public).all()) is not secure
    assert bool((draws[0] == draws[1]).all()) is not secure


def test_secure_training_does_not_repeat(answer: Answer) -> None:
    choices = (*DIGITS, *PRIVATE, "task.epochs=1", "trainer.precision=64", "privacy.secure_noise=true")
    one, other = answer(*choices, folder="a"), answer(*choices, folder="b")
    assert one.metrics["test/loss"] != other.metrics["test/loss"]
    assert one.metrics["epsilon"] == other.metrics["epsilon"]


def test_rate_and_divisor_follow_the_stated_rows(answer: Answer) -> None:
    small = (
        "task=train",
        "dataset=breast_cancer",
        "model=logistic",
        "privacy=white",
        "task.epochs=2",
        "task.batch_size=20",
    )
    runs = [
        answer(*small, "privacy.rows=100", f"dataset.split={{train: {rows}, valid: 50, test: 50}}", folder=str(rows))
        for rows in (100, 101)
    ]
    assert runs[0].metrics["noise_multiplier"] == runs[1].metrics["noise_multiplier"]
    assert runs[0].ledger == runs[1].ledger
    with pytest.raises(InputError, match=r"privacy\.rows=100: the train split has 150 rows"):
        answer(*small, "privacy.rows=100", "dataset.split={train: 150, valid: 50, test: 50}", folder="far")


OWN = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, inputs: int, outputs: int, width: int = 4) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(inputs))
        self.cell, self.head = nn.GRU(inputs, width, batch_first=True), nn.Linear(width, outputs)

    def forward(self, x):
        return self.head(self.cell((x * self.scale)[:, None])[0][:, 0])
"""


@pytest.fixture
def own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module of the user's own."""
    (tmp_path / "own_network.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "own_network.py"
    sys.modules.pop("own_network", None)


@pytest.mark.parametrize("dataset", ["breast_cancer", "diabetes"])
@pytest.mark.parametrize("privacy", ["none", "white"])
def test_a_network_of_the_users_own_is_trained(answer: Answer, own_network: Path, dataset: str, privacy: str) -> None:
    own = ("model=module", "model.target=own_network.Own", "model.arguments={width: 6}", f"privacy={privacy}")
    small = ("task=train", f"dataset={dataset}", "task.epochs=4", "task.batch_size=40")
    first, again = (answer(*small, *own, folder=name) for name in ("first", "again"))
    assert first.metrics == again.metrics
    assert all(math.isfinite(value) for value in first.metrics.values())
    other = answer(*small, *own, "seed=1", folder="other")
    assert other.metrics != first.metrics


def test_a_batch_is_cut_where_its_gradients_would_be_too_many(
    answer: Answer, own_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.gradients.rewrites import whole

    small = ("task=train", "dataset=breast_cancer", "task.epochs=2", "task.batch_size=40")
    own = ("model=module", "model.target=own_network.Own", "privacy=white", "privacy.accountant=rdp")
    at_once = answer(*small, *own, folder="at once")
    monkeypatch.setattr(whole, "LARGEST", 10 * 472)  # ten rows of the network's parameters, which it writes out
    cut = answer(*small, *own, folder="cut")
    assert cut.metrics["test/loss"] == pytest.approx(at_once.metrics["test/loss"], rel=1e-9)
    assert cut.metrics["steps"] == at_once.metrics["steps"]
    monkeypatch.setattr("assay.tasks.training.parts_within_memory", lambda *_: 1)
    with pytest.raises(AssayError, match=r"numbers to write out for \d+ samples"):
        answer(*small, *own, folder="whole")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("null", "model.target=null: needs the class of your network"),
        ("own_network.Missing", "model.target=own_network.Missing: "),
        ("pathlib.Path", "model.target=pathlib.Path: is of Python's own library"),
        (
            "own_network.Own model.arguments={widht: 3}",
            "model.arguments.widht=3: Own has no such argument (did you mean width?)",
        ),
    ],
)
def test_a_network_that_cannot_be_made_is_one_line(answer: Answer, own_network: Path, target: str, line: str) -> None:
    name, _, rest = target.partition(" ")
    with pytest.raises(InputError) as caught:
        answer("task=train", "dataset=wine", "model=module", f"model.target={name}", *([rest] if rest else []))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_an_edited_network_is_another_run(own_network: Path) -> None:
    from assay.runs.sources import sources_of_config

    config = {"model": {"_target_": "assay.learning.models.module.Module", "target": "own_network.Own"}}
    before = sources_of_config(config)
    own_network.write_text(OWN.replace("width: int = 4", "width: int = 5"))
    assert before is not None
    assert sources_of_config(config) not in (None, before)
