"""Every command and every block of Python in docs/ and README.md runs as printed, on the plainest input."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SLOW = (
    "report",
    "-m ",
    "reproduce",
    "logger=wandb",
    "experiment=quickstart",
    "task=train",
    "fetch",
)  # minutes, or a network
OWN = "--config-dir"  # run by the test of extensions, which has the files that such a command needs


def commands(page: Path) -> list[str]:
    """Lines of shell that call assay, without comments, outside the sessions that show an answer."""
    lines = [
        line.strip().partition("  #")[0].strip() for line in page.read_text().splitlines() if line.startswith("    ")
    ]
    return [line for line in lines if line.startswith("assay ")]


def blocks(page: Path) -> list[str]:
    """Blocks of Python that are no file of their own."""
    snippets = re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)
    return [block for block in snippets if not block.startswith("# my_")]


def given(text: str) -> Any:
    """The same text as a parameter, slow ones marked."""
    return pytest.param(text, marks=pytest.mark.slow if any(word in text for word in SLOW) else ())


@pytest.fixture(autouse=True)
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A table of 1,000 rows of float32 and words, in an empty folder, beside texts and the modules of docs/."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    age = generator.uniform(18, 90, 1000).astype(np.float32)
    table = pd.DataFrame({"age": age, "zip": generator.integers(1, 9, 1000), "plan": ["basic", "extra"] * 500})
    table["churned"] = np.where(age + generator.normal(0, 20, 1000) > 50, "yes", "no")
    table.to_csv("customers.csv", index=False)
    verdict = np.where(generator.random(200) < 0.5, "good", "bad")
    texts = [f"A {each} film, and quite long." for each in verdict]
    pd.DataFrame({"review": texts, "verdict": verdict}).to_csv("reviews.csv", index=False)
    for page in PAGES[1:]:
        for block in re.findall(r"```python\n# (my_\w+\.py)\n(.*?)```", page.read_text(), flags=re.DOTALL):
            Path(block[0]).write_text(block[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    return table


@pytest.mark.parametrize("command", [given(line) for page in PAGES for line in commands(page) if OWN not in line])
def test_a_command_runs(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    if command.startswith("assay results"):  # speaks of runs that are there
        assert main(["run", "task=value", "dataset=wine", "valuation.evaluations=2"]) == 0
    status = main(shlex.split(command)[1:])
    assert status == 0, capfd.readouterr().err


@pytest.mark.parametrize("block", [given(block) for page in PAGES for block in blocks(page)])
def test_a_block_of_python_runs(block: str, customers: pd.DataFrame) -> None:
    exec(block, names(block, customers))


def names(block: str, customers: pd.DataFrame) -> dict[str, Any]:
    """The names that the text before a block speaks of."""
    if "PrivateGradients" not in block:
        return {"frame": customers.iloc[:120].reset_index(drop=True)}
    import pytorch_lightning as pl
    import torch

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
            return torch.nn.functional.mse_loss(self.layer(batch[0])[:, 0], batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    generator = torch.Generator().manual_seed(0)
    return {
        "module": Module(),
        "x": torch.randn(500, 3, generator=generator),
        "y": torch.randn(500, generator=generator),
    }


def test_the_readme_ends_a_mistake_in_the_line_that_it_shows(capfd: pytest.CaptureFixture[str]) -> None:
    command, line = re.findall(r"    \$ (assay .*)\n    (.*)\n", PAGES[0].read_text())[0]
    assert main(shlex.split(command)[1:]) == 2
    assert capfd.readouterr().err == f"{line}\n"


def test_the_method_of_the_readme_runs_as_printed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGES[0].read_text()
    for language, comment in (("python", "# "), ("yaml", "# ")):
        for block in re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL):
            name = block.splitlines()[0].removeprefix(comment)
            if name.startswith("my_"):
                file = Path(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.partition("\n")[2])
    monkeypatch.syspath_prepend(str(Path.cwd()))
    command = next(line.strip() for line in text.splitlines() if OWN in line).partition("assay ")[2]
    assert main(shlex.split(command)) == 0
    assert "values" in capfd.readouterr().out
    assert main([*shlex.split(command), "privacy=iid"]) == 2
