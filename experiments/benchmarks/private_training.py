"""Private training beside Opacus: the same data, network, sample rate, noise and steps; test accuracy over seeds."""

from __future__ import annotations

import argparse
import csv
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from assay.data import PreparedData
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.models import Shape
from assay.learning.models.affine import Logistic
from assay.learning.models.mlp import Mlp
from assay.learning.models.torch_networks import build_network
from assay.learning.modules.supervised import Supervised
from assay.learning.private_loader import private_loader
from assay.learning.trainer import Trainer
from assay.privacy.plan import TrainingPlan
from assay.privacy.white import WhiteNoise
from assay.runs import Streams
from experiments.benchmarks.composed import data_of

TRAINER = Trainer(precision=32)
SETTINGS: dict[str, dict[str, Any]] = {
    "mnist": {"model": Mlp(hidden=(128,)), "epochs": 10, "batch": 256, "rate": 0.5},
    "fashion_mnist": {"model": Mlp(hidden=(128,)), "epochs": 4, "batch": 1024, "rate": 0.5},
    "adult": {"model": Logistic(), "epochs": 4, "batch": 512, "rate": 0.5},
}


def network(data: PreparedData, setting: dict[str, Any], seed: int) -> nn.Module:
    """The same starting weights for both."""
    generator = torch.Generator().manual_seed(Streams(seed).seed("initialisation"))
    shape = {"features": data.train.features.shape[1], "classes": len(data.classes), "modality": data.modality}
    return build_network(setting["model"], Shape("classification", **shape), generator).float()


def accuracy(net: nn.Module, data: PreparedData) -> float:
    """On the test split."""
    net.eval()
    with torch.no_grad():
        scores = torch.cat([net(part) for part in torch.split(torch.tensor(data.test.features).float(), 4096)])
    return float((scores.argmax(1).numpy() == data.test.target).mean())


def ours(data: PreparedData, setting: dict[str, Any], plan: TrainingPlan, seed: int) -> float:
    """Private training by assay's callback."""
    tensors = torch.tensor(data.train.features).float(), torch.tensor(data.train.target).float()
    module = Supervised(
        network(data, setting, seed), "classification", lambda p: torch.optim.SGD(p, lr=setting["rate"])
    )
    with quiet():
        fit = TRAINER.build([PrivateGradients(plan)], max_epochs=1)
        fit.fit(module, train_dataloaders=private_loader(plan, tensors))
    return accuracy(module.network, data)


def opacus(data: PreparedData, setting: dict[str, Any], plan: TrainingPlan, seed: int) -> float:
    """The same training by Opacus' engine with ghost clipping, its fastest mode."""
    from opacus import PrivacyEngine

    net = network(data, setting, seed)
    tensors = TensorDataset(torch.tensor(data.train.features).float(), torch.tensor(data.train.target).long())
    rate = setting["batch"] / len(data.train)
    generator = torch.Generator().manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net, optimizer, criterion, loader = PrivacyEngine().make_private(
            module=net,
            criterion=nn.CrossEntropyLoss(),
            grad_sample_mode="ghost",
            optimizer=torch.optim.SGD(net.parameters(), lr=setting["rate"]),
            data_loader=DataLoader(tensors, batch_size=setting["batch"]),
            noise_multiplier=plan.noise_multiplier,
            max_grad_norm=plan.ledger.sensitivity.max_grad_norm,
            noise_generator=generator,
        )
        done, steps = 0, round(setting["epochs"] / rate)
        while done < steps:
            for x, y in loader:
                optimizer.zero_grad()
                criterion(net(x), y).backward()
                optimizer.step()
                done += 1
                if done == steps:
                    break
    return accuracy(net, data)


def main(arguments: list[str]) -> None:
    """Writes a line for each data set, epsilon and seed as it is measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", nargs="*", default=list(SETTINGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epsilon", nargs="*", type=float, default=[1.0, 3.0, 8.0])
    flags = parser.parse_args(arguments)
    folder = Path("outputs/reports/benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    with (folder / "private_training.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["dataset", "epsilon", "seed", "ours", "opacus", "ours_cpu_seconds", "opacus_cpu_seconds"])
        for name in flags.data:
            setting = SETTINGS[name]
            for epsilon in flags.epsilon:
                scores: list[tuple[float, float]] = []
                for seed in range(flags.seeds):
                    data = data_of(f"dataset={name}", "task=train", seed=seed)
                    rows, batch = len(data.train), setting["batch"]
                    steps = round(setting["epochs"] / (batch / rows))
                    privacy = WhiteNoise(epsilon=epsilon)
                    plan = privacy.plan(rows=rows, batch_size=batch, steps=steps, seed=seed, note_every=10**9)
                    cost = []
                    pair = []
                    for train in (ours, opacus):
                        started = time.process_time()
                        pair.append(train(data, setting, plan, seed))
                        cost.append(time.process_time() - started)
                    scores.append((pair[0], pair[1]))
                    lines.writerow([name, epsilon, seed, *pair, *(f"{each:.2f}" for each in cost)])
                    file.flush()
                table = np.array(scores)
                means, errors = table.mean(0), table.std(0, ddof=1) / len(table) ** 0.5
                print(
                    f"{name} epsilon={epsilon:g}: ours {means[0]:.4f} +- {errors[0]:.4f}, "
                    f"Opacus {means[1]:.4f} +- {errors[1]:.4f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
