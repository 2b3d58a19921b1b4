"""The page needs nothing but itself, says what it must, and never lets a run write markup."""

from __future__ import annotations

import base64
import csv
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.errors import AssayError
from assay.report.claims import Claim
from assay.report.facts import published_columns
from assay.report.html import build_report
from assay.report.reading import read_run
from assay.report.rules import Rule
from assay.report.verdicts import judge

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags with attributes, headings and text; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f" {data}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(index: Path) -> Page:
    return Page(index.read_text(encoding="utf-8"))


def claim_of(**given: Any) -> Claim:
    fixed: dict[str, Any] = {
        "id": "slope",
        "statement": "It <b>grows</b> & grows",
        "source": "derived",
        "where": "Fig. 7",
        "experiment": "private_valuation/estimation_uncertainty",
        "metric": "iid/slope",
        "rule": Rule(low=0.5),
        "paper_value": 0.875,
    }
    return Claim(**{**fixed, **given})


def test_nothing_points_outside_and_figures_are_embedded(make_run: Any, tmp_path: Path) -> None:
    index = build_report([make_run(0), make_run(1)], tmp_path / "report", "Title")
    page = page_of(index)
    points = [
        v for _, a in page.tags for k, v in a.items() if k in ("src", "href", "srcset", "data", "action", "poster")
    ]
    assert points
    assert all(point is not None and point.startswith("data:image/png;base64,") for point in points)
    assert not {"script", "link", "iframe", "object"} & {name for name, _ in page.tags}
    style = index.read_text().split("<style>")[1].split("</style>")[0]
    assert not re.search(r"url\(|@import", style)
    written = {file.read_bytes() for file in (tmp_path / "report").glob("*.png")}
    assert {base64.b64decode(str(point).split(",")[1]) for point in points} == written
    assert {"estimation_uncertainty.png", "fidelity.png", "over_seeds.png", "claims.png"} == {
        file.name for file in (tmp_path / "report").glob("*.png")
    }


def test_page_is_accessible(make_run: Any, tmp_path: Path) -> None:
    page = page_of(build_report([make_run(0), make_run(1)], tmp_path / "report", "Title"))
    assert all((image["alt"] or "").strip() for image in page.all("img"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"
    assert "width=device-width" in str(page.all("meta")[1]["content"])
    assert len(page.all("caption")) == len(page.all("table"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_claims_come_first_with_everything_that_decides(make_run: Any, tmp_path: Path) -> None:
    runs = [read_run(make_run(seed)) for seed in range(3)]
    judged = judge(claim_of(beyond=True), runs, "private_valuation")
    index = build_report([run.directory for run in runs], tmp_path / "report", "Title", [judged], lead="Reference")
    text = page_of(index).text
    assert text.index("Claims") < text.index("Summary") < text.index("Runs")
    for part in (
        "It <b>grows</b> & grows",
        "0.875",
        "Fig. 7",
        "at least 0.5",
        "0.81",
        "reproduced",
        "beyond the paper",
    ):
        assert part in text
    assert "assay reproduce private_valuation --scale laptop --seeds 3 --claims slope" in " ".join(text.split())
    assert "Reference" in text
    with (tmp_path / "report" / "claims.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert list(row) == [
        "claim",
        "statement",
        "source",
        "paper_value",
        "value",
        "ci_low",
        "ci_high",
        "verdict",
        "command",
    ]
    assert (row["claim"], row["verdict"], float(row["paper_value"])) == ("slope", "reproduced", 0.875)
    assert (float(row["value"]), float(row["ci_low"])) == pytest.approx((0.81, 0.81 - 4.302653 * 0.01 / 3**0.5))


def test_claims_csv_gives_the_papers_words_where_there_is_no_figure(make_run: Any, tmp_path: Path) -> None:
    judged = judge(claim_of(paper_value=None, paper_text="Omega(k)"), [], "p")
    build_report([make_run(0)], tmp_path / "report", "Title", [judged])
    with (tmp_path / "report" / "claims.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["paper_value"], row["value"], row["verdict"]) == ("Omega(k)", "", "inconclusive")


def test_everything_of_a_run_is_escaped(make_run: Any, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&"
    table = pd.DataFrame({"contender": [evil], "auc": [0.5]})
    values = pd.DataFrame({"id": [1], "value": [1.0], "contender": [evil]})
    run = make_run(
        0,
        tables={"summary": table, "values": values, "extra": table},
        metrics={evil: 1.0},
        status={"commit": evil, "data": {"provider": evil, "source": evil, "sha256": evil}, "noise": evil},
        dataset__target=evil,
    )
    judged = judge(claim_of(statement=evil, source=evil, where=evil, metric=evil), [read_run(run)], evil)
    index = build_report([run, make_run(0, scale=evil)], tmp_path / "report", evil, [judged], lead=evil)
    assert "<script" not in index.read_text()
    page = page_of(index)
    assert page.text.count("<script>alert(1)</script>") > 8
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)


def test_run_table_says_where_data_came_from_and_what_noise_means(make_run: Any, tmp_path: Path) -> None:
    text = page_of(build_report([make_run(0, status={"epsilon": 7.875})], tmp_path / "r", "T")).text
    for part in (
        "built in, scikit-learn==1.7.0",
        "ab" * 32,
        "0123456789ab",
        "7.88",
        "no guarantee towards anyone",
        "12.5",
    ):
        assert part in text
    secure = page_of(build_report([make_run(1, status={"noise": "secure"})], tmp_path / "r", "T")).text
    assert "recorded nowhere" in secure


def test_facts_that_a_status_lacks_are_said_to_be_missing(make_run: Any, tmp_path: Path) -> None:
    run = make_run(0, status={"commit": None, "data": None, "epsilon": None})
    text = page_of(build_report([run], tmp_path / "r", "T")).text
    assert text.count("not recorded") == 3


def test_of_a_private_run_only_what_was_released_may_be_published(make_run: Any, tmp_path: Path) -> None:
    """An allow-list: a column that nobody thought of is private."""
    released = {"released": {"values": ["id", "value"]}}
    secure, seeded = make_run(0, status={"noise": "secure", **released}), make_run(1, status=released)
    assert published_columns(read_run(secure)) == ["values.id", "values.value"]
    assert published_columns(read_run(seeded)) == []
    text = " ".join(page_of(build_report([secure], tmp_path / "r", "T")).text.split())
    assert "For research only. Of these private runs only values.id , values.value may be published" in text
    text = " ".join(page_of(build_report([seeded], tmp_path / "r", "T")).text.split())
    assert "For research only. Nothing of these private runs may be published" in text


def test_several_codes_and_damaged_runs_are_named(
    make_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = make_run(0, status={"sources": "a" * 64}), make_run(1, status={"sources": "b" * 64})
    damaged = make_run(2, status={"files": {"metrics.json": "0" * 64}})
    text = " ".join(page_of(build_report([one, other, damaged], tmp_path / "r", "T", [])).text.split())
    assert f"{'a' * 12} made {one.name}" in text
    assert f"{'b' * 12} made {other.name}" in text
    assert f"Left out. {damaged}: damaged (metrics.json)" in text
    assert "damaged (metrics.json)" in capsys.readouterr().err
    text = page_of(build_report([one], tmp_path / "r", "T", [])).text
    assert "Several sources" not in text
    assert "Left out" not in text
    with pytest.raises(AssayError, match="damaged"):
        build_report([damaged], tmp_path / "r", "T", [])


def test_no_warning_where_nothing_was_charged(make_run: Any, tmp_path: Path) -> None:
    public = make_run(0, status={"noise": "none"})
    assert "For research only" not in page_of(build_report([public], tmp_path / "r", "T", [])).text


def test_smoke_says_that_its_figures_mean_nothing(make_run: Any, tmp_path: Path) -> None:
    assert "Scale smoke" in page_of(build_report([make_run(0, scale="smoke")], tmp_path / "r", "T")).text
    assert "Scale smoke" not in page_of(build_report([make_run(0)], tmp_path / "r", "T")).text


def test_values_show_both_ends(make_run: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(100), "value": [1000.0 + i for i in range(100)]}).sample(frac=1, random_state=0)
    text = page_of(build_report([make_run(0, tables={"values": frame})], tmp_path / "r", "T")).text
    shown = [i for i in range(100) if f" {1000 + i} " in f"{text} "]
    assert shown == [*range(10), *range(95, 100)]


def test_files_of_the_report(make_run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "report"
    assert build_report([make_run(0)], folder, "T", []) == folder / "index.html"
    assert sorted(file.name for file in folder.iterdir()) == [
        "estimation_uncertainty.png",
        "fidelity.png",
        "index.html",
        "summary.csv",
        "summary_full.csv",
    ]
    summary = pd.read_csv(folder / "summary.csv")
    assert len(summary) == 12
    assert summary["seconds"].tolist() == [1.5] * 12


def test_figures_of_several_configs_do_not_collide(make_run: Any, tmp_path: Path) -> None:
    build_report([make_run(0), make_run(0, privacy__epsilon=1.0)], tmp_path / "r", "T", [])
    assert {file.name for file in (tmp_path / "r").glob("*.png")} == {
        f"privacy.epsilon-{epsilon}-{name}.png"
        for epsilon in ("8.0", "1.0")
        for name in ("estimation_uncertainty", "fidelity")
    }


def test_a_run_figure_does_not_overwrite_our_own(make_run: Any, tmp_path: Path, figure_bytes: bytes) -> None:
    build_report([make_run(0, figures=("claims",)), make_run(1, figures=())], tmp_path / "r", "T")
    assert (tmp_path / "r" / "claims.png").read_bytes() != figure_bytes
    assert len(list((tmp_path / "r").glob("*-claims.png"))) == 1


def test_the_same_runs_give_the_same_bytes(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run(seed) for seed in range(2)]
    build_report(runs, tmp_path / "a", "T")
    build_report(runs, tmp_path / "b", "T")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_run_without_tables_and_figures_is_reported(make_run: Any, tmp_path: Path) -> None:
    folder = build_report([make_run(0, tables={}, figures=(), metrics={"auc": 0.625})], tmp_path / "r", "T").parent
    assert "0.625" in page_of(folder / "index.html").text
    assert not (folder / "summary.csv").exists()


def test_errors_are_one_line(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="no run to report on"):
        build_report([], tmp_path / "r", "T")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AssayError, match="cannot write the report"):
        build_report([make_run(0)], tmp_path / "file" / "r", "T")
