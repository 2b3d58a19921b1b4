"""Lines on long work: how long it is going to take, once, from its pace."""

from __future__ import annotations

import pytest

from assay.runs.forecast import LONG, WATCHED, Forecast, in_words
from assay.runs.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def forecast_of(total: float | None) -> tuple[Forecast, Clock, list[str]]:
    clock, said = Clock(), list[str]()
    return Forecast("valuing", total, said.append, clock), clock, said


def test_long_work_is_said_once_with_the_time_left() -> None:
    forecast, clock, said = forecast_of(200)
    for _ in range(50):
        clock.now += 1.0
        forecast.advance(1)
    (line,) = said
    assert line.startswith("valuing: about 3 min to go (4 of 200 done")
    assert line.endswith("MB so far)")


def test_short_work_is_not_worth_a_line() -> None:
    forecast, clock, said = forecast_of(10)
    for _ in range(10):
        clock.now += LONG / 11
        forecast.advance(1)
    assert said == []


def test_steps_saved_by_an_earlier_attempt_say_nothing_of_the_pace() -> None:
    forecast, clock, said = forecast_of(1000)
    forecast.advance(900)
    for _ in range(3):
        clock.now += 1.0
        forecast.advance(1)
    assert said[0].startswith("valuing: about 2 min to go (903 of 1000 done")


def test_a_first_step_of_a_minute_is_a_pace() -> None:
    forecast, clock, said = forecast_of(10)
    clock.now += 60.0
    forecast.advance(1)
    assert said[0].startswith("valuing: about 9 min to go (1 of 10 done")


@pytest.mark.parametrize("total", [None, 0])
def test_work_of_unknown_size_has_no_forecast(total: float | None) -> None:
    forecast, clock, said = forecast_of(total)
    clock.now += 10 * WATCHED
    forecast.advance(1)
    assert said == []


def test_words() -> None:
    assert [in_words(seconds) for seconds in (8, 89, 180, 9000)] == ["8 s", "89 s", "3 min", "2.5 h"]


def test_an_expectation_goes_to_stderr_where_it_is_long_and_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(wanted=True).expect("refits", LONG / 2)
    Progress(wanted=False).expect("refits", 10 * LONG)
    assert capsys.readouterr().err == ""
    Progress(wanted=True).expect("refits", 10 * LONG)
    said = capsys.readouterr()
    assert said.err == "refits: about 3 min\n"
    assert said.out == ""
