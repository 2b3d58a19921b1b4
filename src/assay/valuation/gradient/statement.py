"""Plain sentences on the meaning of a publication of private values, and on its limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.data import public_facts
from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.relations import Relation

if TYPE_CHECKING:
    from assay.data import PreparedData
    from assay.privacy.option import Budgeted
    from assay.valuation.valuator import Valuation


def statement_of(valuation: Valuation, data: PreparedData, privacy: Budgeted, *, utility: str) -> tuple[str, ...]:
    """Sentences on the guarantee, its assumptions, the noise, and how to read values and intervals.

    Says nothing that the published values, the config and the number of rows do not say.
    """
    return (
        _guarantee(valuation, privacy, len(data.train)),
        _changed(valuation, privacy),
        *(f"Taken for public: {fact}" for fact in public_facts(data)),
        "Taken for public: The model and its settings, and the ids of the valued rows, each of which is published with its "
        "value.",
        _noise(valuation),
        f"A value estimates what its row adds to the {utility.replace('_', ' ')} on the held-back rows. Low values are where "
        "to look for wrong labels first; a single low value proves nothing.",
        _interval(valuation, privacy),
        "Not promised: protection of facts about the population that would be learnt without the row as well, or of several "
        "rows of one person taken together (for m rows epsilon is m times as large at the least, and delta larger still). In a "
        "second release of the same rows the epsilons and deltas add up; if both took their noise from the same seed, one can "
        "be subtracted from the other and the values stand bare.",
    )


def _guarantee(valuation: Valuation, privacy: Budgeted, rows: int) -> str:
    replaced = privacy.budget.relation is Relation.REPLACE_ONE
    what = (
        "is replaced by any other" if replaced else "is left out, and its slot publishes a draw that depends on no data"
    )
    who = "Each of the" if _secure(valuation) else "With secure noise, which this run did not have, each of the"
    return (
        f"{who} {rows} rows is protected from whoever reads these values: they are (epsilon={_up(valuation.epsilon)}, "
        f"delta={privacy.guaranteed_delta:g})-differentially private, where neighbouring tables are those in which one row "
        f"{what} ({privacy.relation}). Mechanism: {privacy.name}. The budget was epsilon={privacy.epsilon:g}, "
        f"delta={privacy.delta:g}."
    )


def _secure(valuation: Valuation) -> bool:
    """True where the ledger has secure noise for every release."""
    return bool(valuation.ledger) and all(entry["noise"] == "secure" for entry in valuation.ledger)


def _up(epsilon: float) -> str:
    """Four significant digits, never below the number itself."""
    if not 0 < epsilon < math.inf:
        return f"{epsilon:g}"
    unit = 10.0 ** (math.floor(math.log10(epsilon)) - 3)
    return f"{math.ceil(epsilon / unit * (1 - 1e-12)) * unit:.6g}"


def _changed(valuation: Valuation, privacy: Budgeted) -> str:
    if privacy.budget.relation is Relation.REPLACE_ONE:
        return "A row that is left out is protected at the same epsilon at the least."
    known = "release/epsilon_of_a_changed_record"
    changed = valuation.facts[known] if known in valuation.facts else epsilon_of(2 * privacy.budget.mu, privacy.delta)
    return (
        f"A row whose content is changed, rather than left out, is protected at epsilon={_up(changed)} "
        "(privacy.relation=replace_one plans for that case)."
    )


def _noise(valuation: Valuation) -> str:
    if _secure(valuation):
        return "The noise came from the operating system's entropy and was recorded nowhere: the guarantee stands."
    return (
        "The noise repeats with the seed of the run: whoever knows or guesses the seed can subtract it, so that this release "
        "protects nobody from them. Run with privacy.secure_noise=true before you publish."
    )


def _interval(valuation: Valuation, privacy: Budgeted) -> str:
    if valuation.values.prediction is not None:
        said = (
            "The ends pi_low and pi_high are those of a 90 % prediction interval of the value that training without privacy "
            "would give. It was calibrated on tables of public rows, some with wrong targets, and holds on average over rows "
            "that are like a mixture of those; of other rows nothing is promised. noise_half_width is half of the 95 % "
            "interval of the noise alone."
        )
        return (
            said
            if valuation.signs
            else f"{said} Whether a single value lies above or below 0 cannot be read from them."
        )
    if privacy.one_release:
        return (
            "The interval is that of the noise, and of nothing else. Values beyond the clip are drawn in to it, and the public "
            "trajectories differ from training on these rows: it hardly ever covers the value without privacy."
        )
    return (
        "The interval is that of the estimate from clipped gradients on these held-back rows; others would give somewhat other "
        "values, and what the clip takes away is not in it."
    )
