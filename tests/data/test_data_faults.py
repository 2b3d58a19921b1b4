"""All that is wrong with a table in one message, and the overrides in it mend the table."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_helpers import options, settings
from hypothesis import given
from hypothesis import strategies as st

from assay.config import compose
from assay.data import PreparedData, prepare
from assay.data.own.faults import na_override
from assay.errors import InputError

N = np.arange(90)


def messy() -> pd.DataFrame:
    """Five faults: a mark, another mark, missing cells, a column of few cells, an infinite number."""
    frame = pd.DataFrame({"a": (N * 37 % 101 / 8).astype(object), "b": [f"{n}.5" for n in N], "y": N % 2})
    frame.loc[N % 9 == 0, "a"] = "?"
    frame["b"] = [f"{n} kg" if n % 8 else "n/k" for n in N]
    frame["c"] = np.where(N % 10 == 0, np.nan, N % 7)
    frame["few"] = np.where(N % 10 == 0, N / 3, np.nan)
    frame["far"] = np.where(N == 5, np.inf, N % 11)
    return frame


def read(frame: pd.DataFrame, folder: Path, *overrides: str) -> PreparedData:
    path = folder / "own.csv"
    frame.to_csv(path, index=False)
    choices = compose(["dataset=csv", f"dataset.path={path}", "dataset.target=y", *overrides])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(**{**settings(folder, path=str(path), target="y"), "options": choices.dataset})


def error(call: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        call()
    return caught.value


def test_every_fault_stands_in_one_message_that_mends_them_all(tmp_path: Path) -> None:
    fault = error(lambda: read(messy(), tmp_path))
    lines = str(fault).splitlines()
    assert lines[0].startswith("dataset.path=own.csv: 4 things are wrong with it (add ")
    assert len(lines) == 5
    for words in ("'a' is nearly numeric", "'b' is nearly numeric", "'c' has 9 missing", "'far' has 1 infinite"):
        assert sum(words in each for each in lines[1:]) == 1
    assert str(pickle.loads(pickle.dumps(fault))) == str(fault)
    data = read(messy(), tmp_path, *fault.mends)
    assert data.feature_names == ("a", "b", "c", "far")
    rows = {int(row) for part in (data.train, data.valid, data.test) for row in part.ids}
    assert rows == {n for n in range(90) if n % 9 and n % 8 and n % 10 and n != 5}


def test_a_fault_of_the_target_is_among_them(tmp_path: Path) -> None:
    frame = messy().assign(y="one")
    fault = error(lambda: read(frame, tmp_path))
    assert "dataset.target=y: has one value only (one)" in str(fault)
    assert "and mend the rest in the file" in str(fault)


def test_texts_that_are_missing_already_stay_so(tmp_path: Path) -> None:
    fault = error(lambda: read(messy(), tmp_path, "dataset.na=[?]"))
    (override,) = [each for each in fault.mends if each.startswith("dataset.na=")]
    assert override == "dataset.na=[?,n/k,'inf','-inf']"
    assert read(messy(), tmp_path, *fault.mends).feature_names == ("a", "b", "c", "far")


def test_columns_that_would_cost_most_rows_are_left_out(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"a": N / 7, "thin": np.where(N % 10 == 0, N / 3, np.nan), "c": np.where(N % 9, N % 7, np.nan)}
    )
    fault = error(lambda: read(frame.assign(y=N % 2), tmp_path))
    assert fault.mends == ("dataset.types.thin=ignore", "dataset.missing=drop")
    assert len(str(fault).splitlines()) == 1
    assert read(frame.assign(y=N % 2), tmp_path, *fault.mends).feature_names == ("a", "c")


def test_a_text_that_has_a_meaning_elsewhere_is_not_called_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": N / 7, "b": ["no" if n % 9 == 0 else f"{n}.5" for n in N]})
    for other in ({"c": [("no", "yes")[n % 2] for n in N], "y": N % 2}, {"y": [("no", "yes")[n % 2] for n in N]}):
        fault = error(lambda other=other: read(frame.assign(**other), tmp_path))
        assert fault.mends == ("dataset.types.b=ignore",)
        assert "clean it, or say what it is: dataset.types.b=categorical or =ignore" in str(fault)
        assert read(frame.assign(**other), tmp_path, *fault.mends).feature_names[0] == "a"
    fault = error(lambda: read(frame.assign(y=N % 2), tmp_path))
    assert fault.mends == ("dataset.na=[no]", "dataset.missing=drop")


@pytest.mark.parametrize("path", ["~nobody/x.csv", "x" * 5000, "/dev/zero", "a\0b", "nothing.csv"])
def test_a_path_that_leads_nowhere_is_one_line(path: str) -> None:
    fault = error(lambda: options(path=path, target="y").content)
    assert fault.key == "dataset.path"
    assert "\n" not in str(fault)


def test_a_file_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,y\n1,2\n")
    path = str(tmp_path / "a.csv")
    assert "is named twice" in str(error(lambda: options(path=[path, path], target="y").content))


@pytest.mark.parametrize(
    "text", ["\\0", "a\\", "it's", "\\'", "a,b", "[x]", "null", "NaN", "1e5", " x ", "$x", "a=b", "é", "-", "${x}"]
)
def test_an_odd_text_is_read_as_it_was_meant(text: str) -> None:
    own = ["dataset=csv", "dataset.path=x.csv", "dataset.target=y"]
    assert compose([*own, na_override([text, "?"])]).dataset.na == [text, "?"]


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=4))
def test_an_override_of_missing_texts_is_read_as_it_was_meant(texts: list[str]) -> None:
    choices = compose(["dataset=csv", "dataset.path=x.csv", "dataset.target=y", na_override(texts)])
    assert choices.dataset.na == list(dict.fromkeys(texts))
