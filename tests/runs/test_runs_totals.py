"""Privacy spent on a table over runs: charged before, once, refused over the total, and never lost to a race."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.errors import AssayError, InputError
from assay.runs import Outcome, RunContext, RunDirectory, execute
from assay.runs.execute import directory_of
from assay.runs.totals import Charge, Spent, charge_all, ledger_of, spent_on

ENTRY = {"epsilon": 1.0, "delta": 1e-5, "relation": "zero_out", "noise": "secure"}


class Desk:
    """One table, the folder of its runs, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.data, self.root = folder / "data", folder / "runs"
        self.lines: list[str] = []

    def run(self, seed: int = 0) -> RunDirectory:
        return directory_of(self.config(seed), self.root)

    def config(self, seed: int = 0, **keys: Any) -> dict[str, Any]:
        return {"name": "study", "seed": seed, **keys}

    def charge(self, *seeds: int, epsilon: float = 1.0, total: float | None = None, table: str | None = "mine") -> None:
        charges = [Charge(self.run(seed), epsilon, 1e-5) for seed in seeds]
        charge_all(self.data, table, charges, total, self.lines.append)

    def finish(self, seed: int = 0, **keys: Any) -> None:
        work = lambda context: Outcome(ledger=[ENTRY])  # noqa: E731
        execute(self.config(seed, **keys), work, self.root, private=True, secure=True, say=self.lines.append)

    @property
    def epsilon(self) -> float:
        return spent_on(self.data, "mine").epsilon


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_releases_of_one_table_add_up_and_the_sum_is_said(desk: Desk) -> None:
    desk.charge(0)
    desk.charge(1, epsilon=2.5)
    place = ledger_of(desk.data, "mine")
    assert place == desk.data / "tables" / "mine.jsonl"
    assert spent_on(desk.data, "mine") == Spent(2, 3.5, 2e-5)
    assert desk.lines == [
        f"table mine: epsilon 1, delta 1e-05 over 1 release (privacy.total=EPSILON sets a limit; {place})",
        f"table mine: epsilon 3.5, delta 2e-05 over 2 releases (privacy.total=EPSILON sets a limit; {place})",
    ]
    assert spent_on(desk.data, "other") == Spent()
    entries = [json.loads(line) for line in place.read_text().splitlines()]
    assert [entry["run"] for entry in entries] == [str(desk.run(seed).path.absolute()) for seed in (0, 1)]


def test_a_release_over_the_total_is_refused_before_anything_is_written(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        desk.charge(0, epsilon=3.0, total=2.0)
    assert str(caught.value) == (
        f"privacy.total=2: table mine has epsilon 0 spent in {ledger_of(desk.data, 'mine')}, and 1 release of 3 would "
        "bring it to 3 (lower privacy.epsilon, or raise the total knowingly)"
    )
    assert list(tmp_path.iterdir()) == []
    desk.charge(0, epsilon=2.0, total=2.0)
    before = ledger_of(desk.data, "mine").read_bytes()
    with pytest.raises(InputError, match=r"^privacy.total=2.5: table mine has epsilon 2 spent"):
        desk.charge(1, epsilon=1.0, total=2.5)
    assert ledger_of(desk.data, "mine").read_bytes() == before


def test_a_sum_of_tenths_is_not_refused_for_its_rounding(desk: Desk) -> None:
    for seed in range(10):
        desk.charge(seed, epsilon=0.1, total=1.0)
    with pytest.raises(InputError):
        desk.charge(10, epsilon=1e-6, total=1.0)


def test_a_sweep_is_charged_as_a_whole_or_not_at_all(desk: Desk) -> None:
    with pytest.raises(InputError, match="5 releases of 5 would bring it to 5"):
        desk.charge(*range(5), total=4.0)
    assert desk.epsilon == 0
    desk.charge(*range(4), total=4.0)
    assert desk.epsilon == 4
    assert len(desk.lines) == 1
    for seed in range(4):
        desk.charge(seed, total=4.0)  # each cell of the sweep, as its turn comes
        desk.finish(seed)
    assert desk.epsilon == 4


def test_a_finished_run_is_charged_again_only_to_be_made_again(desk: Desk) -> None:
    desk.charge(0)
    desk.finish()
    assert [file.name for file in desk.root.rglob(".*")] == []
    desk.finish()  # returned from its directory, where nobody charges
    assert desk.epsilon == 1
    desk.charge(0)  # rerun, or a damaged file
    assert desk.epsilon == 2
    desk.charge(0)  # the same attempt
    desk.finish(rerun=True)
    assert desk.epsilon == 2
    desk.charge(0)
    assert desk.epsilon == 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_run_goes_on_from_its_checkpoint_for_nothing(desk: Desk, error: type[BaseException]) -> None:
    def stops(context: RunContext) -> Outcome:
        (context.parts.folder / "noise").write_text("drawn")
        raise error

    desk.charge(0)
    for _ in range(2):
        with pytest.raises(error):
            execute(desk.config(), stops, desk.root, private=True, secure=True)
        desk.charge(0)
    assert desk.epsilon == 1
    shutil.rmtree(desk.run().scratch)  # without its checkpoints it makes another release
    desk.charge(0)
    assert desk.epsilon == 2


def test_a_directory_that_is_gone_is_a_new_release(desk: Desk) -> None:
    desk.charge(0)
    desk.finish()
    shutil.rmtree(desk.run().path)
    desk.charge(0)
    assert desk.epsilon == 2


def test_another_budget_of_the_same_run_is_charged(desk: Desk) -> None:
    desk.charge(0)
    desk.charge(0, epsilon=2.0)
    assert desk.epsilon == 3


def test_without_a_name_one_line_says_that_nothing_is_summed(desk: Desk) -> None:
    desk.charge(0, table=None)
    assert desk.lines == ["releases of this table are not summed over runs (privacy.table=NAME sums them)"]
    desk.charge(0, table=None)
    assert len(desk.lines) == 1
    assert not desk.data.exists()
    with pytest.raises(InputError, match=r"^privacy.total=3.0: is for a table that has a name \(privacy.table=NAME"):
        desk.charge(1, table=None, total=3.0)
    desk.charge(0)  # from now on it is summed
    assert desk.epsilon == 1


def test_a_ledger_that_cannot_be_read_stops_every_release(desk: Desk) -> None:
    desk.charge(0)
    place = ledger_of(desk.data, "mine")
    place.write_text(place.read_text() + '{"epsilon": 1')
    with pytest.raises(AssayError, match=r"mine\.jsonl: line 2 cannot be read"):
        desk.charge(1)
    assert place.read_text().endswith('{"epsilon": 1')


@pytest.mark.parametrize(("epsilon", "delta"), [(math.inf, 0.0), (math.nan, 0.0), (-1.0, 0.0), (1.0, -0.1)])
def test_a_charge_is_finite_and_not_negative(desk: Desk, epsilon: float, delta: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Charge(desk.run(), epsilon, delta)


def test_names_of_tables_are_no_paths(desk: Desk) -> None:
    desk.charge(0, table="../a b/ü")
    assert ledger_of(desk.data, "../a b/ü").parent == desk.data / "tables"
    assert len(list((desk.data / "tables").iterdir())) == 1


RACER = """
import sys
from pathlib import Path
from assay.errors import InputError
from assay.runs import RunDirectory
from assay.runs.totals import Charge, charge_all

root, name = Path(sys.argv[1]), sys.argv[2]
for number in range(5):
    run = RunDirectory(root / "runs" / f"{name}-{number}")
    try:
        charge_all(root / "data", "mine", [Charge(run, 1.0)], 12.0, lambda line: None)
        print("charged")
    except InputError:
        print("refused")
"""


def test_processes_that_race_lose_no_charge_and_pass_no_total(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    racers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in "abcd"]
    words = [word for racer in racers for word in racer.communicate()[0].split()]
    assert (words.count("charged"), words.count("refused")) == (12, 8)
    assert spent_on(tmp_path / "data", "mine") == Spent(12, 12.0, 0.0)
    assert [file.name for file in (tmp_path / "data" / "tables").iterdir()] == ["mine.jsonl"]


def test_threads_that_race_charge_a_run_once(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: desk.charge(seed % 4), range(32)))
    assert spent_on(desk.data, "mine").releases == 4
