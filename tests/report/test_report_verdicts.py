"""The rule that decides a claim, and the runs it is decided by."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.config.compose import compose
from assay.report.claims import Claim
from assay.report.reading import read_run
from assay.report.rules import Rule, read_rule
from assay.report.verdicts import Verdict, command_of, decide, judge, judge_all, matches
from assay.statistics import Interval

EXPERIMENT = "private_valuation/estimation_uncertainty"
YES, NO, OPEN = Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.INCONCLUSIVE
AT_LEAST, AT_MOST, BETWEEN = {"at_least": 0.5}, {"at_most": 0.0}, {"between": [-0.15, 0.15]}


def claim_of(**given: Any) -> Claim:
    fixed = {
        "id": "c",
        "statement": "s",
        "source": "derived",
        "where": "Fig. 1",
        "experiment": EXPERIMENT,
        "metric": "iid/slope",
        "rule": Rule(low=0.5),
        "settings": {"privacy.epsilon": 8.0},
    }
    return Claim(**{**fixed, **given})


@pytest.mark.parametrize(
    ("rule", "low", "high", "verdict"),
    [
        (AT_LEAST, 0.6, 0.9, YES),
        (AT_LEAST, 0.5, 0.9, YES),  # the bound itself obeys
        (AT_LEAST, 0.49999, 0.9, OPEN),
        (AT_LEAST, 0.1, 0.5, OPEN),  # touches the bound
        (AT_LEAST, 0.1, 0.49999, NO),
        (AT_MOST, -0.4, 0.0, YES),
        (AT_MOST, -0.4, 0.00001, OPEN),
        (AT_MOST, 0.0, 0.3, OPEN),
        (AT_MOST, 0.00001, 0.3, NO),
        (BETWEEN, -0.15, 0.15, YES),
        (BETWEEN, -0.1, 0.1, YES),
        (BETWEEN, -0.16, 0.1, OPEN),
        (BETWEEN, -0.1, 0.16, OPEN),
        (BETWEEN, -0.5, 0.5, OPEN),  # contains the whole rule
        (BETWEEN, 0.151, 0.5, NO),
        (BETWEEN, -0.5, -0.151, NO),
        (BETWEEN, 0.15, 0.5, OPEN),
    ],
)
def test_verdict_by_rule_and_interval(rule: dict[str, Any], low: float, high: float, verdict: Verdict) -> None:
    assert decide(read_rule(rule, "rule"), Interval((low + high) / 2, low, high), 3)[0] is verdict


def test_equal_samples_are_no_verdict_unless_the_figure_is_exact() -> None:
    """Three seeds that give .5 to the bit have an interval without width, which says nothing of a fourth seed."""
    point = Interval(0.5, 0.5, 0.5)
    assert decide(Rule(low=0.4), point, 3) == (OPEN, "every seed gives 0.5: equal samples have no interval")
    assert decide(Rule(high=0.4), point, 3)[0] is OPEN
    assert decide(Rule(low=0.5), point, 3, exact=True)[0] is YES
    assert decide(Rule(low=0.51), point, 3, exact=True)[0] is NO


def test_runs_of_several_codes_are_never_one_group_and_a_mixture_says_so(make_run: Any) -> None:
    old = [read_run(make_run(s, metrics={"iid/slope": 0.9 + s / 50}, status={"sources": "a" * 64})) for s in range(2)]
    new = [read_run(make_run(s, metrics={"iid/slope": 0.7}, status={"sources": "b" * 64})) for s in (2,)]
    (judged,) = judge_all([claim_of()], [*old, *new], "p")
    assert judged.seeds == (0, 1)
    assert "sources" not in judged.reason
    mixed = judge(claim_of(), [*old, *new], "p")
    assert mixed.reason.endswith("; the runs are of 2 different sources of assay (rerun=true runs one again)")


@pytest.mark.parametrize("seeds", [0, 1])
def test_fewer_than_two_seeds_decide_nothing(seeds: int) -> None:
    verdict, reason = decide(Rule(low=0.0), Interval(9.0, 8.0, 10.0), seeds)
    assert verdict is OPEN
    assert "at least 2" in reason


@pytest.mark.parametrize("place", ["estimate", "low", "high"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_decides_nothing(place: str, value: float) -> None:
    interval = Interval(**{"estimate": 1.0, "low": 0.9, "high": 1.1, place: value})
    assert decide(Rule(low=0.0), interval, 3)[0] is OPEN


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2), st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_verdict_agrees_with_sampling_the_interval(bounds: list[float], interval: list[float]) -> None:
    (a, b), (low, high) = sorted(bounds), sorted(interval)
    obeys = [a <= x <= b for x in (*np.linspace(low, high, 301), low, high)]
    verdict = decide(Rule(a, b), Interval((low + high) / 2, low, high), 5)[0]
    if verdict is YES:
        assert all(obeys)
    if verdict is NO:
        assert not any(obeys)
    if any(obeys) and not all(obeys):
        assert verdict is OPEN


def test_judgement_is_the_student_interval_over_seeds(make_run: Any) -> None:
    samples = [0.7, 0.9, 0.8]
    runs = [read_run(make_run(seed, metrics={"iid/slope": value})) for seed, value in enumerate(samples)]
    judged = judge(claim_of(), runs, "private_valuation")
    low, high = stats.t.interval(0.95, 2, loc=0.8, scale=stats.sem(samples))
    assert judged.figure.estimate == pytest.approx(0.8, abs=1e-12)
    assert (judged.figure.low, judged.figure.high) == pytest.approx((low, high), abs=1e-12)
    assert judged.verdict is YES  # 0.8 -+ 0.248 lies above 0.5
    assert judged.seeds == (0, 1, 2)
    assert judged.command == "assay reproduce private_valuation --scale laptop --seeds 3 --claims c"


def test_minus_is_paired_seed_by_seed(make_run: Any) -> None:
    """Levels that vary by 1 between seeds, a difference that does not: unpaired, the interval would be wide."""
    pairs = [(1.30, 1.0), (2.31, 2.0), (3.29, 3.0)]
    runs = [read_run(make_run(s, metrics={"a": a, "b": b})) for s, (a, b) in enumerate(pairs)]
    judged = judge(claim_of(metric="a", minus="b", rule=Rule(low=0.2)), runs, "p")
    assert judged.figure.estimate == pytest.approx(0.3)
    assert judged.figure.high - judged.figure.low < 0.06
    assert judged.verdict is YES


def test_absent_metric_is_not_comparable_at_that_scale(make_run: Any) -> None:
    runs = [read_run(make_run(seed, evaluations=(4, 8), scale="smoke")) for seed in range(2)]
    judged = judge(claim_of(metric="iid/slope", minus="iid/160/spearman"), runs, "p")
    assert judged.verdict is Verdict.NOT_COMPARABLE
    assert judged.reason == "metric iid/160/spearman is not measured at scale=smoke"
    assert math.isnan(judged.figure.estimate)


def test_metric_absent_in_one_seed_is_not_comparable(make_run: Any) -> None:
    runs = [read_run(make_run(0, metrics={"iid/slope": 1.0})), read_run(make_run(1, metrics={"other": 1.0}))]
    assert judge(claim_of(), runs, "p").verdict is Verdict.NOT_COMPARABLE


def test_null_metric_is_inconclusive(make_run: Any) -> None:
    runs = [read_run(make_run(seed, metrics={"iid/slope": value})) for seed, value in enumerate([0.9, None])]
    judged = judge(claim_of(), runs, "p")
    assert judged.verdict is OPEN
    assert "finite" in judged.reason


def test_incomparable_claim_keeps_its_reason_and_shows_the_figure(make_run: Any) -> None:
    runs = [read_run(make_run(seed)) for seed in range(2)]
    judged = judge(claim_of(comparable=False, reason="another dataset"), runs, "p")
    assert (judged.verdict, judged.reason) == (Verdict.NOT_COMPARABLE, "another dataset")
    assert judged.figure.estimate == pytest.approx(0.805)


def test_no_run_is_inconclusive() -> None:
    judged = judge(claim_of(), [], "p")
    assert judged.verdict is OPEN
    assert "no finished run" in judged.reason
    assert judged.command == "assay reproduce p --claims c"


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        ({}, True),
        ({"privacy.epsilon": 8}, True),
        ({"privacy.epsilon": 8.0, "dataset.name": "diabetes"}, True),
        ({"dataset": "diabetes"}, True),  # an option by its name
        ({"dataset": "wine"}, False),
        ({"privacy.epsilon": 1.0}, False),
        ({"privacy.epsilom": 8.0}, False),
        ({"task.evaluations": [10, 40, 160]}, True),
        ({"task.evaluations": [10, 40]}, False),
    ],
)
def test_settings_pick_the_runs(make_run: Any, settings_: dict[str, Any], expected: bool) -> None:
    assert matches(claim_of(settings=settings_), read_run(make_run())) is expected


def test_another_experiment_does_not_match(make_run: Any) -> None:
    assert not matches(claim_of(settings={}), read_run(make_run(name="quickstart")))


def test_configs_are_not_mixed_and_most_seeds_decide(make_run: Any) -> None:
    """Three laptop seeds and one smoke seed match: the laptop runs decide, and the smoke figure stays out."""
    records = [read_run(make_run(seed, metrics={"iid/slope": 0.9 + seed / 100})) for seed in range(3)]
    records.append(read_run(make_run(0, metrics={"iid/slope": 99.0}, scale="smoke")))
    (judged,) = judge_all([claim_of()], records, "p")
    assert judged.figure.estimate == pytest.approx(0.91)
    assert judged.scale == "laptop"


def test_command_of_seeds_that_do_not_start_at_zero_is_the_sweep(make_run: Any) -> None:
    command = command_of(claim_of(), "p", "laptop", (3, 5))
    assert command == f"assay run -m experiment={EXPERIMENT} privacy.epsilon=8.0 scale=laptop seed=3,5"


def test_command_quotes_what_a_shell_would_read(tmp_path: Path) -> None:
    claim = claim_of(settings={"task.evaluations": [1, 2], "dataset.path": "my file.csv"})
    assert "'task.evaluations=[1,2]'" in command_of(claim, "p", None, (1,))


@pytest.mark.parametrize(
    ("values", "verdict"), [((-0.3, -0.1, -0.9), YES), ((-0.3, 0.0, -0.9), YES), ((-0.3, 0.01, -0.9), NO)]
)
def test_a_guarantee_must_hold_in_every_seed(make_run: Any, values: tuple[float, ...], verdict: Verdict) -> None:
    runs = [replace(read_run(make_run(seed)), metrics={"iid/slope": value}) for seed, value in enumerate(values)]
    judgement = judge(claim_of(rule=Rule(high=0.0), each=True), runs, "p")
    assert judgement.verdict is verdict
    assert (judgement.figure.low, judgement.figure.high) == (min(values), max(values))


def test_runs_of_the_claims_own_config_come_first(make_run: Any) -> None:
    own = dict(compose([f"experiment={EXPERIMENT}", "privacy.epsilon=8.0"]).config)
    plain = [replace(read_run(make_run(seed)), config={**own, "seed": seed}) for seed in (0, 1)]
    longer = [read_run(make_run(seed, task__evaluations=[10, 40])) for seed in (0, 1, 2)]
    assert judge_all([claim_of()], [*longer, *plain], "p")[0].seeds == (0, 1)
    assert judge_all([claim_of()], longer, "p")[0].seeds == (0, 1, 2)  # there is no other


def test_contenders_match_by_their_names(make_run: Any) -> None:
    contenders = {"iid": {"privacy": {"name": "iid"}}, "mine": {"privacy": {"name": "iid"}}}
    record = read_run(make_run(0, task__contenders=contenders))
    assert matches(claim_of(settings={"task.contenders": ["iid", {"mine": {"privacy": "iid"}}]}), record)
    assert not matches(claim_of(settings={"task.contenders": ["iid"]}), record)
