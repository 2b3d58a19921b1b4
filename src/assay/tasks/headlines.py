"""The first tables and sentences that a reader sees of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.runs import Headline, Shown
from assay.tasks.meanings import MEANING_OF_TRAINING_AUDIT, meanings
from assay.valuation.values import interval_of

if TYPE_CHECKING:
    import pandas as pd

LOWEST, HIGHEST = 10, 5
METRICS = 12
ALARM = 4.0  # standard deviations; measured in experiments/private_valuation


def of_values(
    name: str,
    table: pd.DataFrame,
    metrics: Mapping[str, float],
    published: bool = False,
    signs: bool = True,
    *,
    valuator: object = None,
) -> Headline:
    """Lowest and highest values of a table with `value` and its interval, and, with `signs`, how many are surely not 0.

    Beside them stands the valuator's `good_for`, where it has one.
    """
    notes = meanings(map(str, table))
    if good_for := getattr(valuator, "good_for", ""):
        notes.append(f"good for: {good_for}")
    ends = interval_of(map(str, table))
    if signs and ends is not None and table[list(ends)].notna().all(axis=None):
        below, above = int((table[ends[1]] < 0).sum()), int((table[ends[0]] > 0).sum())
        notes.append(f"{below} of {len(table)} values lie below 0 by their interval, {above} above")
    if published:
        notes.append("STATEMENT.md says what the interval is of")
    if metrics.get("release/stand_in_gap", 0.0) > ALARM:
        notes.append(
            "ALARM: the private rows are like no mixture of the public ones (release/stand_in_gap above "
            f"{ALARM:g}): do not rely on the intervals"
        )
    return Headline(tuple(_ends(name, table)), tuple(metrics)[:METRICS], tuple(notes))


def of_comparison(tables: Mapping[str, pd.DataFrame], columns: Sequence[str], by: str) -> Headline:
    """Table `summary` with the seconds of `costs`, table `slopes`, and, in the report, the values of each `by`."""
    beside = "costs" if "costs" in tables else ""
    chosen = tuple(column for column in columns if column in tables["summary"] or (column == "seconds" and beside))
    shown = [Shown("", "summary", chosen, beside=beside)]
    if len(tables.get("slopes", ())):
        shown.append(Shown("log-log slope of uncertainty on evaluations", "slopes"))
    further: list[Shown] = []
    values = tables.get("values")
    if values is not None:
        for label, part in values.groupby(by, sort=False):
            further += _ends("values", part, f"{label}: ")
    notes = meanings(chosen, compared=True)
    if len(shown) > 1:
        notes.append("a slope above 0: more evaluations under the same budget make the values less certain")
    return Headline(tuple(shown), notes=tuple(notes), further=tuple(further))


def of_summary(table: pd.DataFrame, columns: Sequence[str], metrics: Mapping[str, Any]) -> Headline:
    """Table `summary`, whose columns are `columns` (none: all), and the first metrics."""
    notes = meanings(columns or map(str, table))
    return Headline((Shown("", "summary", tuple(columns)),), tuple(metrics)[:METRICS], tuple(notes))


def of_attacks(attacks: pd.DataFrame, neighbours: pd.DataFrame, metrics: Mapping[str, float]) -> Headline:
    """Attacks with their bounds, what they can say, and what the publications of neighbouring tables have in common."""
    broken = int(((neighbours["files"] != "") | (neighbours["other_rows"] > 0)).sum())
    if broken:
        notes = [
            f"BROKEN: {broken} of {len(neighbours)} neighbouring tables show in what is published beside noised numbers"
        ]
    else:
        notes = [
            f"{len(neighbours)} neighbouring tables give the same publication, byte by byte, but for noised numbers"
        ]
    mute = attacks[attacks["most_proven"] < attacks["bound"]]
    if len(mute):
        names = ", ".join(dict.fromkeys(mute["attack"]))
        few = "too few trials to prove a bound wrong, whatever the noise"
        notes.append(f"{few}: {names} (most_proven; a larger scale, or a smaller epsilon)")
    if "clipped" in attacks:
        without = attacks[attacks["clipped"].eq(False) & (attacks["most_proven"] >= attacks["bound"])]
        if len(without) and not (without["excess"] > 0).any():
            notes.append("without the clip the attacks exceed no bound either: they are too weak to mean anything")
    shown = (
        Shown("attacks: the proven epsilon must not exceed its bound, but for releases without the clip", "summary"),
    )
    further = (Shown("neighbouring tables", "pipeline"),)
    notes = [*meanings(map(str, attacks)), *notes]
    return Headline(shown, tuple(metrics)[:METRICS], tuple(notes), further)


def of_training_audit(summary: pd.DataFrame, metrics: Mapping[str, float]) -> Headline:
    """The attacks beside the promises of the account, and the reach of guesses where they cannot refute it."""
    refuted = list(summary.loc[summary["refuted"], "attack"])
    notes = ["nothing refutes the account; its intervals refute an honest one in 0.05 % of runs"]
    if refuted:
        notes = [f"BROKEN: more than the account promises by {', '.join(refuted)}"]
    notes.append(MEANING_OF_TRAINING_AUDIT)
    epsilon, most, count = metrics["guesses/promised"], metrics["most_proven"], int(metrics["canaries"])
    if most < epsilon:
        notes.append(
            f"guesses: if all were right, {count} canaries would prove {most:.3g}, so that they cannot refute {epsilon:g}"
        )
    if "canaries_needed" in metrics:
        notes.append(f"guesses would refute half the noise from about {metrics['canaries_needed']:.0f} canaries on")
    elif "effect/measured" in metrics:
        notes.append("guesses are not expected to refute half the noise with up to a million canaries at this delta")
    shown = (
        Shown("attacks: measured with joint 99.9 % intervals, and the promise of the account", "summary"),
        Shown("one step on a table with and without a row", "neighbours"),
    )
    return Headline(shown, tuple(metrics)[:METRICS], tuple(notes))


def of_picks(table: pd.DataFrame, metrics: Mapping[str, float]) -> Headline:
    """The first picks for each size `k`, best first."""
    shown = []
    for size, part in table.groupby("k", sort=False):
        title = f"the first of {len(part)} picks for a data set of {size} rows"
        shown.append(Shown(title, "picks", rows=tuple(int(place) for place in part.index[:LOWEST])))
    note = "value: what a row adds to the utility of a model of k rows, by its law; gains are on the test split"
    return Headline(tuple(shown), tuple(metrics)[:METRICS], (note,))


def _ends(name: str, table: pd.DataFrame, label: str = "") -> list[Shown]:
    """The lowest and the highest values; all of them, once, where they are few. Places are those in the whole table."""
    ranked = [int(place) for place in table.sort_values("value", kind="stable").index]
    # standard errors of a law's parameters are in the files
    ends = interval_of(map(str, table)) or ()
    columns = tuple(c for c in map(str, table) if c not in ends and not c.endswith("_std_error"))
    intervals = {"value": ends} if ends else {}
    if len(ranked) <= LOWEST + HIGHEST:
        return [Shown(f"{label}all {len(ranked)} by value", name, columns, tuple(ranked), intervals)]
    lowest, highest = ranked[:LOWEST], ranked[-HIGHEST:][::-1]
    return [
        Shown(f"{label}the {LOWEST} lowest values of {len(ranked)}", name, columns, tuple(lowest), intervals),
        Shown(f"{label}the {HIGHEST} highest", name, columns, tuple(highest), intervals),
    ]
