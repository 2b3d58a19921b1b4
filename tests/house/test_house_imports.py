"""Options are read, and the package is imported, before anything heavy is."""

from __future__ import annotations

import json
import subprocess
import sys

from house import targets

HEAVY = ("torch", "pytorch_lightning", "sklearn", "pandas", "xgboost", "matplotlib", "datasets", "opacus", "wandb")
HEAVIER_THAN_NOTHING = (*HEAVY, "numpy", "scipy", "pyarrow", "hydra", "omegaconf", "rich", "jinja2")

# Children of one clean process: the first imports all modules, and only where that is heavy one for each shows which.
CHILDREN = """
import importlib, json, os, sys

modules, heavy = json.loads(sys.argv[1]), json.loads(sys.argv[2])

def loads(names):
    read, write = os.pipe()
    if os.fork() == 0:
        for name in names:
            importlib.import_module(name)
        os.write(write, json.dumps([name for name in heavy if name in sys.modules]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        return json.loads(answer.read())

if loads(modules):
    print(json.dumps({name: loads([name]) for name in modules}))
else:
    print("{}")
"""


def in_a_new_process(script: str, *arguments: object) -> list[str]:
    """Printed lines of a script that has imported nothing before."""
    command = [sys.executable, "-c", script, *(json.dumps(argument) for argument in arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_an_option_is_declared_without_torch() -> None:
    modules = sorted({target.rpartition(".")[0] for target in targets()})
    (line,) = in_a_new_process(CHILDREN, modules, HEAVY)
    assert {name: heavy for name, heavy in json.loads(line).items() if heavy} == {}


def test_the_package_is_imported_without_anything_heavy() -> None:
    script = "import assay, json, sys; print([name for name in json.loads(sys.argv[1]) if name in sys.modules])"
    assert in_a_new_process(script, HEAVIER_THAN_NOTHING) == ["[]"]
