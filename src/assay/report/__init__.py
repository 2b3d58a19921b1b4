"""Reads run directories and reports on them: tables over seeds, claims with verdicts, one HTML page, loggers."""

from __future__ import annotations

from assay.report.html import build_report
from assay.report.publish import publish
from assay.report.reading import RunRecord, find_runs, read_run
from assay.report.reproduce import reproduce
from assay.report.verdicts import Judgement, Verdict, judge_all

__all__ = [
    "Judgement",
    "RunRecord",
    "Verdict",
    "build_report",
    "find_runs",
    "judge_all",
    "publish",
    "read_run",
    "reproduce",
]
