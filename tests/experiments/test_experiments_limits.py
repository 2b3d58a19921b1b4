"""The tables of where a directed release is the wrong tool are of the right form, and their rows are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from experiments.private_valuation import limits
from experiments.private_valuation.limits import QUESTIONS, Case, cases, judges_of, private_path, public_points, rows_at


@pytest.fixture(scope="module")
def drawn() -> list[list[Case]]:
    """One seed of each dataset with few train rows."""
    drawn_cases = cases(seeds=1, replicates=2)
    few = np.arange(24)
    return [
        [replace(case, data=replace(case.data, train=rows_at(case.data.train, few))) for case in same]
        for same in drawn_cases
    ]


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_judges_share_the_valid_rows_among_them(drawn: list[list[Case]], count: int) -> None:
    for (case,) in drawn:
        parts = judges_of(case, count)
        assert len(parts) == count
        assert min(len(part) for part in parts) > 5
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(case.data.valid)))


def test_without_noise_all_public_rows_keep_the_ranking(drawn: list[list[Case]]) -> None:
    rows = [list(public_points(same[0])) for same in drawn]
    assert [key[1] for key, _ in rows[0]] == [5, 20, 100, 171]
    assert min(answers[-1][1][0] for answers in rows) > 0.6


def test_a_table_has_a_mean_and_an_interval_over_seeds(drawn: list[list[Case]]) -> None:
    title, question, keys, columns = QUESTIONS[3]
    assert question is private_path
    rows = [
        [(("a", 8.0), [1.0, 0.5]), (("b", 1.0), [float("nan"), 0.0])],
        [(("a", 8.0), [2.0, 0.5]), (("b", 1.0), [0.0, 0.0])],
    ]
    lines = limits.table(title, keys[:2], columns[:2], rows).splitlines()
    assert lines[0] == "### Private path"
    assert lines[4] == "| a | 8 | 1.50 ± 6.35 | 0.50 ± 0.00 |"  # half = 12.706 * sqrt(1/2) / sqrt 2
    assert lines[5] == "| b | 1 |  | 0.00 ± 0.00 |"


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question[0])
def test_every_question_has_an_answer_in_every_column(
    drawn: list[list[Case]], question: limits.Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COPIED", 4)
    _, ask, keys, columns = question
    for (case,) in drawn:
        for key, answers in ask(case):
            assert (len(key), len(answers)) == (len(keys), len(columns))
            assert np.isfinite(answers[1:]).all()
