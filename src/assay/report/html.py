"""One self-contained page from run directories, and the files beside it."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import AssayError
from assay.figures.tables import number
from assay.report.aggregate import SeedGroup, differing_settings, group_by_seed, in_order, values_over_seeds
from assay.report.facts import is_private, published_columns, question_of, run_facts, statement_lines
from assay.report.figures import claims_figure, png
from assay.report.known import judge_known
from assay.report.reading import RunRecord, gather
from assay.report.sections import (
    Image,
    count_verdicts,
    further_wholes,
    group_images,
    label_of,
    mean_tables,
    metrics_table,
    other_tables,
    row_tables,
    slug,
    swept_images,
    table,
)
from assay.report.summary import brief, summary_table, with_bounds
from assay.report.verdicts import Judgement
from assay.runs.directory import CONFIG, write_atomically

if TYPE_CHECKING:
    import pandas as pd

DETAILED = 30  # settings up to which a page shows figures, rows, tables and configs of each
CLAIM_COLUMNS = (
    "claim",
    "statement",
    "source",
    "paper_value",
    "value",
    "ci_low",
    "ci_high",
    "verdict",
    "command",
)


def build_report(
    directories: Sequence[Path],
    folder: Path,
    title: str,
    claims: Sequence[Judgement] | None = None,
    *,
    lead: str = "",
) -> Path:
    """Writes folder/index.html about the runs at or below `directories`, and returns its path.

    The page needs nothing else: figures are embedded, and lie beside it as PNG files. Also written: summary.csv
    (table `summary` with its costs; the mean over seeds), summary_full.csv (with every bound and time), where several
    seeds valued rows values_over_seeds.csv, and, with claims, claims.csv and claims.png. `claims` are judged ones; None
    judges those of the shipped papers whose experiments are among the runs. `lead` stands under the title; without it
    the question of the runs' task. Beyond DETAILED settings the page leaves single ones out. Raises AssayError for a folder
    without a finished run, and for one that cannot be written.
    """
    gathered = gather(directories)
    records = gathered.records
    if not records:
        nothing = "no run to report on (name a run directory, or a folder with finished runs)"
        raise AssayError(gathered.left_out[0] if gathered.left_out else nothing)
    for line in gathered.left_out:
        print(f"left out: {line}", file=sys.stderr)
    groups = in_order(group_by_seed(records))
    judgements = judge_known(records) if claims is None else list(claims)
    settings = differing_settings(groups)
    labels = [label_of(group, differing) for group, differing in zip(groups, settings, strict=True)]
    shown = (
        [] if len(groups) > DETAILED else list(zip(groups, labels, strict=True))
    )  # a page of thousands opens nowhere
    images = [image for group, label in shown for image in group_images(group, label, len(groups) == 1)]
    forest = _forest(judgements)
    full = summary_table(groups)
    images = [*swept_images(full, list(settings[0])), *images]
    files = {image.file: image.content for image in [*images, *([forest] if forest else [])]}
    summary = None
    if full is not None:
        short = brief(full, groups)
        files |= {"summary.csv": _csv(short), "summary_full.csv": _csv(full)}
        summary = table(with_bounds(full, list(map(str, short))), _caption(groups))
    if judgements:
        files["claims.csv"] = claims_csv(judgements)
    means = {label: frame for group, label in shown if (frame := values_over_seeds(group)) is not None}
    for label, frame in means.items():
        files[f"values_over_seeds{'' if len(groups) == 1 else f'-{slug(label)}'}.csv"] = _csv(frame)
    page = _render(
        title=title,
        lead=lead or question_of(records),
        judgements=judgements,
        verdict_counts=count_verdicts([str(judgement.verdict) for judgement in judgements]),
        forest=forest,
        smoke=any(record.scale == "smoke" for record in records),
        summaries=[*([] if summary is None else [summary]), *(each for g in groups for each in further_wholes(g))],
        notes=list(dict.fromkeys(note for group in groups for note in group.headline.notes)),
        images=images,
        settings=len(groups),
        groups=[_group(group, label, means.get(label)) for group, label in shown],
        statements=[(record.fingerprint, lines) for record in records if (lines := statement_lines(record))],
        runs=[run_facts(record) for record in records],
        configs=[
            (run, (run.directory / CONFIG).read_text(encoding="utf-8")) for group, _ in shown for run in group.runs
        ],
        left_out=gathered.left_out,
        codes=_codes(records),
        private=any(is_private(record) for record in records),
        published=list(dict.fromkeys(name for record in records for name in published_columns(record))),
    )
    files["index.html"] = page.encode()  # last: a page whose figures are not there yet is not to be seen
    _write(folder, files)
    return folder / "index.html"


def claims_csv(judgements: Sequence[Judgement]) -> bytes:
    """CSV of the columns claim, statement, source, paper_value, value, ci_low, ci_high, verdict, command."""
    import pandas as pd

    rows = [
        (
            judgement.claim.id,
            judgement.claim.statement,
            judgement.claim.source,
            judgement.claim.paper_text if judgement.claim.paper_value is None else judgement.claim.paper_value,
            judgement.figure.estimate,
            judgement.figure.low,
            judgement.figure.high,
            str(judgement.verdict),
            judgement.command,
        )
        for judgement in judgements
    ]
    return _csv(pd.DataFrame(rows, columns=list(CLAIM_COLUMNS)))


def _forest(judgements: Sequence[Judgement]) -> Image | None:
    figure = claims_figure(judgements)
    if figure is None:
        return None
    alt = "A strip for each claim: our figure with its interval, the range that confirms the claim, the verdict. "
    return Image("claims.png", "Claims and our figures", f"{alt}The table below holds the same figures.", png(figure))


def _group(group: SeedGroup, label: str, means: pd.DataFrame | None) -> dict[str, Any]:
    return {
        "label": label,
        "seed": group.runs[0].seed,
        "rows": row_tables(group),
        "means": [] if means is None else mean_tables(means),
        "tables": [metrics_table(group), *other_tables(group)],
    }


def _codes(records: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Sources of assay -> fingerprints of the runs that they made; empty where one code made all."""
    codes: dict[str, list[str]] = {}
    for record in records:
        codes.setdefault(record.sources[:12], []).append(record.fingerprint)
    return codes if len(codes) > 1 else {}


def _caption(groups: Sequence[SeedGroup]) -> str:
    fewest, most = (choose(len(group.seeds) for group in groups) for choose in (min, max))
    if most == 1:
        return "One seed; brackets: 95 % interval inside the run, as its task defines it. All columns: summary_full.csv"
    seeds = f"{most}" if fewest == most else f"{fewest} to {most}"
    return f"Mean over {seeds} seeds; brackets: 95 % Student-t interval over seeds. All columns: summary_full.csv"


def _render(**parts: Any) -> str:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["data_uri"] = lambda png_bytes: (
        f"data:image/png;base64,{base64.b64encode(png_bytes).decode('ascii')}"
    )
    style = Markup(environment.get_template("page.css").render())  # our own file, nothing of a run in it
    return environment.get_template("page.html").render(style=style, **parts)


def _csv(frame: Any) -> bytes:
    sink = io.StringIO()
    frame.to_csv(sink, index=False, lineterminator="\n")
    return sink.getvalue().encode()


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise AssayError(f"{folder}: cannot write the report ({error.strerror}); choose another folder") from error
