"""Options are read, and the package is imported, before anything heavy is."""

from __future__ import annotations

import json
import subprocess
import sys

from allowances import HEAVY_TARGETS

from house import targets

HEAVY = ("torch", "pytorch_lightning", "sklearn", "pandas", "xgboost", "matplotlib", "datasets", "opacus", "wandb")
HEAVIER_THAN_NOTHING = (*HEAVY, "numpy", "scipy", "pyarrow", "hydra", "omegaconf", "rich", "jinja2")

# A child of one clean process for each module, since a process that has imported torch cannot show that it does not.
EACH_ALONE = """
import importlib, json, os, sys

modules, heavy = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for module in modules:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        importlib.import_module(module)
        print(json.dumps([module, [name for name in heavy if name in sys.modules]]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, module
"""


def in_a_new_process(script: str, *arguments: object) -> list[str]:
    """Printed lines of a script that has imported nothing before."""
    command = [sys.executable, "-c", script, *(json.dumps(argument) for argument in arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_an_option_is_declared_without_torch() -> None:
    modules = sorted({target.rpartition(".")[0] for target in targets() - HEAVY_TARGETS})
    loaded = dict(json.loads(line) for line in in_a_new_process(EACH_ALONE, modules, HEAVY))
    assert sorted(loaded) == modules
    assert {name: heavy for name, heavy in loaded.items() if heavy} == {}


def test_the_package_is_imported_without_anything_heavy() -> None:
    script = "import assay, json, sys; print([name for name in json.loads(sys.argv[1]) if name in sys.modules])"
    assert in_a_new_process(script, HEAVIER_THAN_NOTHING) == ["[]"]
