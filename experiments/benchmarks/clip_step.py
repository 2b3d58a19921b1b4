"""Cost of clipping every sample: a training step of ours and of peers against the plain step of the same model.

    python -m experiments.benchmarks.clip_step [--rounds 7] [--models mlp,cnn,decoder,decoder_lora] [--anew] [--keep-memory]

Each variant has a process of its own, and each peer its environment (`.bench/`, made once from `peers/*.txt`). Processor
seconds of one thread; in each round every process takes its turn while the others sleep, so that what else the machine does
meets all of them alike. A ratio is the median over rounds of a variant's seconds by those of the plain step of the same round
and environment, with its quartiles. Memory is the growth of a process's peak over its first three steps.

How many fresh pages a step asks the system for depends on where in its heap a process happened to put its tensors, and
stays so for as long as it lives: `--anew` draws that again in every round, `--keep-memory` takes it away.
"""

from __future__ import annotations

import argparse
import json
import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from experiments.benchmarks.environments import Worker
from experiments.benchmarks.models import MODELS

SECONDS_PER_TURN = 0.25
RATIOS = ("by_plain", "by_opacus_ghost")


@dataclass(frozen=True)
class Contender:
    """A key of `steps.VARIANTS` or `parts.PARTS`, in assay's environment or in a peer's, with its plain step.

    `whole` is false of parts of a step, which are timed on demand.
    """

    variant: str
    peer: str | None
    plain: str
    whole: bool = True


CONTENDERS = {
    "plain": Contender("plain", None, "plain"),
    "ours": Contender("ours", None, "plain"),
    "vmap": Contender("vmap", None, "plain"),
    "opacus_plain": Contender("plain", "opacus", "opacus_plain"),
    "opacus_ghost": Contender("ghost", "opacus", "opacus_plain"),
    "opacus_hooks": Contender("hooks", "opacus", "opacus_plain"),
    "products": Contender("products", None, "plain", whole=False),
    "kernel_gradients": Contender("kernel_gradients", None, "plain", whole=False),
}


@dataclass
class Measured:
    """Processor seconds of each round, megabytes and versions of one contender."""

    seconds: list[float]
    peak_mb: float = float("nan")
    versions: dict[str, str] | None = None


def measure(
    model: str, names: list[str], rounds: int, *, anew: bool = False, keep_memory: bool = False
) -> dict[str, Measured]:
    """Every contender in turn, round by round; `anew` starts their processes again for each round."""
    module = "experiments.benchmarks.step_worker"
    measured = {name: Measured([]) for name in names}
    for of_these in [1] * rounds if anew else [rounds]:
        with ExitStack() as stack:
            workers = {}
            for name in names:
                contender = CONTENDERS[name]
                worker = Worker(module, model, contender.variant, peer=contender.peer, keep_memory=keep_memory)
                workers[name] = stack.enter_context(worker)
                measured[name].peak_mb, measured[name].versions = worker.hello["peak_mb"], worker.hello["versions"]
            for _ in range(of_these):
                for name, worker in workers.items():
                    measured[name].seconds.append(worker.ask(str(SECONDS_PER_TURN)))
    return measured


def row(model: str, name: str, measured: dict[str, Measured]) -> dict[str, object]:
    """One contender's line: milliseconds, memory, and ratios with their quartiles where the other one was measured."""
    mine = measured[name]
    line: dict[str, object] = {"model": model, "variant": name, "ms": 1e3 * statistics.median(mine.seconds)}
    for ratio, other in zip(RATIOS, (CONTENDERS[name].plain, "opacus_ghost"), strict=True):
        if other in measured:
            ratios = [a / b for a, b in zip(mine.seconds, measured[other].seconds, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
            line |= {ratio: middle, f"{ratio}_low": low, f"{ratio}_high": high}
    return line | {"peak_mb": mine.peak_mb, "versions": mine.versions}


def text(line: dict[str, object]) -> str:
    """The same as a line of the README's table."""
    ratios = [
        f"{line[ratio]:.2f} ({line[f'{ratio}_low']:.2f} to {line[f'{ratio}_high']:.2f})" if ratio in line else ""
        for ratio in RATIOS
    ]
    return f"| {line['model']} | {line['variant']} | {line['ms']:.1f} | {' | '.join(ratios)} | {line['peak_mb']:.0f} |"


def main() -> None:
    """Prints the table and writes it below outputs/reports/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--only", help=f"some of {','.join(CONTENDERS)}; without it, all whole steps")
    parser.add_argument("--anew", action="store_true", help="new processes for each round")
    parser.add_argument("--keep-memory", action="store_true", help="freed memory stays with its process")
    arguments = parser.parse_args()
    rows = []
    print("| model | step | CPU ms | / plain (quartiles) | / Opacus ghost (quartiles) | extra memory, MB |")
    print("|---|---|---|---|---|---|", flush=True)
    for model in arguments.models.split(","):
        names = arguments.only.split(",") if arguments.only else [name for name, it in CONTENDERS.items() if it.whole]
        how = {"anew": arguments.anew, "keep_memory": arguments.keep_memory}
        measured = measure(model, names, arguments.rounds, **how)
        for name in measured:
            rows.append(row(model, name, measured))
            print(text(rows[-1]), flush=True)
    folder = Path("outputs/reports/benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clip_step.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"report: {folder / 'clip_step.json'}")


if __name__ == "__main__":
    main()
