"""The wheel serves an empty folder: it carries the options, the claims and all code that they need."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

import assay
from assay.config.compose import compose
from assay.config.locations import conf_root, experiments_root

TOP = Path(__file__).resolve().parents[2]
PAPERS = sorted(file.parent.name for file in experiments_root().glob("*/claims.yaml"))
CLAIMS = 2


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the content of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def said(installed: Path, folder: Path, *arguments: str) -> str:
    """Output of `assay ARGUMENTS` from the wheel alone, in a folder without anything."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    environment |= {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "assay", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_the_source(installed: Path) -> None:
    def below(root: Path, pattern: str) -> list[str]:
        return sorted(path.relative_to(root).as_posix() for path in root.rglob(pattern))

    assert below(installed / "assay", "*.py") == below(Path(assay.__file__).parent, "*.py")
    assert below(installed / "assay/conf", "*.yaml") == below(conf_root(), "*.yaml")
    assert sorted(file.parent.name for file in (installed / "assay/experiments").glob("*/claims.yaml")) == PAPERS


def test_the_wheel_lists_its_options(installed: Path, tmp_path: Path) -> None:
    lines = said(installed, tmp_path, "list", "experiments").splitlines()
    named = {line.split()[0].removeprefix("*") or line.split()[1] for line in lines if line.strip()}
    assert {paper for paper in PAPERS if any(name.startswith(f"{paper}/") for name in named)} == set(PAPERS)


def first_claims(paper: str) -> list[str]:
    """Ids of the first claims on data that needs no archive."""
    claims = yaml.safe_load((experiments_root() / paper / "claims.yaml").read_text())["claims"]
    bare = {}
    for experiment in dict.fromkeys(claim["experiment"] for claim in claims):
        bare[experiment] = not compose([f"experiment={experiment}"]).dataset.source.needs_files
    return [claim["id"] for claim in claims if bare[claim["experiment"]]][:CLAIMS]


@pytest.mark.parametrize("paper", PAPERS)
def test_the_wheel_judges_claims(paper: str, installed: Path, tmp_path: Path) -> None:
    claims = first_claims(paper)
    assert len(claims) == CLAIMS
    out = said(installed, tmp_path, "reproduce", paper, "--scale", "smoke", "--seeds", "1", "--claims", *claims)
    assert all(claim in out for claim in claims)
    assert (tmp_path / "outputs/reports" / paper / "claims.csv").is_file()
