"""What clipping every sample costs: a training step of ours and of peers against the plain step of the same model.

    python -m experiments.benchmarks.clip_step [--rounds 7] [--models mlp,cnn,decoder,decoder_lora] [--only plain,ours]

Processor seconds of one thread; in each round every variant runs once, so that what else the machine does meets all of them
alike. A ratio is the median over rounds of a variant's seconds by those of the plain step of the same round, with the
quartiles. Memory is the growth of a fresh process's peak over three steps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.benchmarks.models import MODELS, Task

LEARNING_RATE, MAX_GRAD_NORM, WARM_UP = 1e-3, 1.0, 2
Step = Callable[[], object]


def _descend(parameters: list[Tensor], gradients: list[Tensor]) -> None:
    """One step of gradient descent: the same in every variant."""
    with torch.no_grad():
        torch._foreach_add_(parameters, gradients, alpha=-LEARNING_RATE)


def _trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def plain(task: Task) -> Step:
    """Forward, backward and update, without clipping."""
    parameters = list(_trained(task.model).values())

    def step() -> None:
        task.model.zero_grad()
        task.losses(task.model, *task.batch).sum().backward()
        _descend(parameters, [parameter.grad for parameter in parameters if parameter.grad is not None])

    return step


def ours(task: Task) -> Step:
    """assay.gradients."""
    from assay.gradients import PerSampleGradients

    engine = PerSampleGradients(task.model)
    parameters, gradients = _trained(task.model), dict[str, Tensor]()

    def step() -> None:
        nonlocal gradients
        gradients = engine.record(task.losses, *task.batch).clipped_sum(MAX_GRAD_NORM, out=gradients).gradients
        _descend(list(parameters.values()), [gradients[name] for name in parameters])

    return step


def ghost(task: Task) -> Step:
    """Opacus, ghost clipping: a second backward pass of the weighted losses."""
    from opacus.grad_sample import GradSampleModuleFastGradientClipping

    model = GradSampleModuleFastGradientClipping(
        task.model, batch_first=True, loss_reduction="sum", max_grad_norm=MAX_GRAD_NORM, use_ghost_clipping=True
    )
    parameters = list(_trained(model).values())

    def step() -> None:
        model.zero_grad()
        losses = task.losses(model, *task.batch)
        losses.sum().backward(retain_graph=True)
        weights = model.get_clipping_coef()
        model.zero_grad()
        model.disable_hooks()
        (losses * weights).sum().backward()
        model.enable_hooks()
        _descend(parameters, [parameter.grad for parameter in parameters if parameter.grad is not None])

    return step


def hooks(task: Task) -> Step:
    """Opacus, gradients of every sample written out by hooks."""
    from opacus.grad_sample import GradSampleModule

    model = GradSampleModule(task.model, batch_first=True, loss_reduction="sum")
    parameters = list(_trained(model).values())

    def step() -> None:
        model.zero_grad()
        task.losses(model, *task.batch).sum().backward()
        _descend(parameters, _clipped([parameter.grad_sample for parameter in parameters]))
        for parameter in parameters:
            parameter.grad_sample = None

    return step


def vmap(task: Task) -> Step:
    """torch.func.vmap of grad over the whole model."""
    parameters = _trained(task.model)

    def loss_of_one(values: dict[str, Tensor], *row: Tensor) -> Tensor:
        def call(*inputs: Tensor) -> Tensor:
            return torch.func.functional_call(task.model, values, inputs)

        return task.losses(call, *(each[None] for each in row))[0]

    each = torch.func.vmap(torch.func.grad(loss_of_one), (None, *(0 for _ in task.batch)))

    def step() -> None:
        gradients = each({name: value.detach() for name, value in parameters.items()}, *task.batch)
        _descend(list(parameters.values()), _clipped(list(gradients.values())))

    return step


def _clipped(samples: list[Tensor]) -> list[Tensor]:
    """Clipped sums of gradients that were written out."""
    norms = torch.stack([each.flatten(1).norm(dim=1) for each in samples]).norm(dim=0)
    weights = (MAX_GRAD_NORM / (norms + 1e-6)).clamp(max=1)
    return [(weights @ each.flatten(1)).reshape(each.shape[1:]) for each in samples]


VARIANTS: dict[str, Callable[[Task], Step]] = {
    "plain": plain,
    "ours": ours,
    "opacus_ghost": ghost,
    "opacus_hooks": hooks,
    "vmap": vmap,
}


def timed(name: str, variants: list[str], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each variant in each round."""
    steps = {variant: VARIANTS[variant](MODELS[name]()) for variant in variants}
    found: dict[str, list[float]] = {variant: [] for variant in variants}
    for number in range(WARM_UP + rounds):
        for variant, step in steps.items():
            repeats = 5 if variant in ("plain", "ours", "opacus_ghost") and number >= WARM_UP else 1
            samples = []
            for _ in range(repeats):
                started = time.process_time()
                step()
                samples.append(time.process_time() - started)
            if number >= WARM_UP:
                found[variant].append(statistics.median(samples))
    return found


def timed_apart(name: str, variants: list[str], rounds: int) -> dict[str, list[float]]:
    """The same with a process for each variant and round: what a program pays that runs nothing else.

    Variants that share a process share its allocator, and the larger ones spare the smaller ones their page faults.
    """
    found: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            found[variant].append(_in_a_process("--seconds-of", f"{name}:{variant}"))
    return found


def _in_a_process(flag: str, of: str) -> float:
    call = [sys.executable, "-m", "experiments.benchmarks.clip_step", flag, of]
    return float(subprocess.run(call, check=True, capture_output=True, text=True).stdout.split()[-1])


def _print_seconds(of: str) -> None:
    name, _, variant = of.partition(":")
    step = VARIANTS[variant](MODELS[name]())
    samples = []
    for _ in range(WARM_UP + (5 if name.startswith("decoder") or variant in ("opacus_hooks", "vmap") else 40)):
        started = time.process_time()
        step()
        samples.append(time.process_time() - started)
    print(statistics.median(samples[WARM_UP:]))


def peak_memory(name: str, variant: str) -> float:
    """Megabytes by which three steps raise the peak of a fresh process."""
    return _in_a_process("--memory-of", f"{name}:{variant}")


def _print_memory(of: str) -> None:
    name, _, variant = of.partition(":")
    step = VARIANTS[variant](MODELS[name]())
    small = VARIANTS[variant](MODELS[name](batch=2))
    small()  # what is loaded and compiled once is not the step's
    before = _peak()
    for _ in range(3):
        step()
    print((_peak() - before) / 1024)


def _peak() -> float:
    """Largest resident size of this process so far in kilobytes; getrusage would start from its parent's."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return float(status["VmHWM"].split()[0])


def main() -> None:
    """Prints the table and writes it below outputs/reports/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--only", default=",".join(VARIANTS))
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--apart", action="store_true", help="a process for each variant and round")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--seconds-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.memory_of:
        _print_memory(arguments.memory_of)
    elif arguments.seconds_of:
        _print_seconds(arguments.seconds_of)
    else:
        _print_table(arguments)


def _print_table(arguments: argparse.Namespace) -> None:
    rows = []
    print(f"{'model':14s}{'variant':14s}{'ms':>9s}{'/ plain':>9s}{'quartiles':>17s}{'/ ghost':>9s}{'peak MB':>9s}")
    for name in arguments.models.split(","):
        found = (timed_apart if arguments.apart else timed)(name, arguments.only.split(","), arguments.rounds)
        for variant, seconds in found.items():
            row: dict[str, object] = {"model": name, "variant": variant, "ms": 1e3 * statistics.median(seconds)}
            for base in ("plain", "opacus_ghost"):
                if base in found:
                    ratios = [mine / other for mine, other in zip(seconds, found[base], strict=True)]
                    low, middle, high = statistics.quantiles(ratios, n=4)
                    row |= {f"by_{base}": middle, f"by_{base}_low": low, f"by_{base}_high": high}
            row["peak_mb"] = float("nan") if arguments.no_memory else peak_memory(name, variant)
            rows.append(row)
            spread = f"[{row.get('by_plain_low', 0):.2f}, {row.get('by_plain_high', 0):.2f}]"
            print(
                f"{name:14s}{variant:14s}{row['ms']:9.2f}{row.get('by_plain', 0):9.2f}{spread:>17s}"
                f"{row.get('by_opacus_ghost', 0):9.2f}{row['peak_mb']:9.1f}",
                flush=True,
            )
    folder = Path("outputs/reports/benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clip_step.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"report: {folder / 'clip_step.json'}")


if __name__ == "__main__":
    main()
