"""Times one variant of a training step in the environment that it is started in; `clip_step` starts one for each variant.

    python -m experiments.benchmarks.step_worker MODEL VARIANT

Says its versions and the growth of its peak memory over three steps once it is ready. Answers each line of its input, a
number of seconds, with the median processor seconds of the steps that fit in.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from experiments.benchmarks.models import MODELS
from experiments.benchmarks.parts import PARTS
from experiments.benchmarks.steps import VARIANTS, Step

PACKAGES = ("torch", "opacus")


def seconds(step: Step, budget: float) -> float:
    """Median processor seconds of a step, over as many as fit in `budget`; never fewer than one."""
    times: list[float] = []
    while sum(times) < budget:
        started = time.process_time()
        step()
        times.append(time.process_time() - started)
    return statistics.median(times)


def memory(step: Step, small: Step) -> float:
    """Megabytes by which three steps raise the peak of this process; `small` is the same step on two samples."""
    small()  # what is loaded and compiled once is not the step's
    before = _peak()
    for _ in range(3):
        step()
    return (_peak() - before) / 1024


def _peak() -> float:
    """Largest resident size of this process so far in kilobytes; getrusage would start from its parent's."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return float(status["VmHWM"].split()[0])


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def main(model: str, variant: str) -> None:
    """Answers until its input ends."""
    torch.set_num_threads(1)
    build = VARIANTS.get(variant) or PARTS[variant]
    step, small = (build(task) for task in (MODELS[model](), MODELS[model](batch=2)))
    print(json.dumps({"versions": _versions(), "peak_mb": memory(step, small)}), flush=True)
    for line in sys.stdin:
        print(json.dumps(seconds(step, float(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
