"""What a publication of private values means, and what it does not, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.privacy.gaussian import epsilon_of
from assay.privacy.relations import Relation

if TYPE_CHECKING:
    from assay.data import PreparedData
    from assay.privacy.spec import PrivacySpec
    from assay.valuation.valuator import Valuation


def statement_of(found: Valuation, data: PreparedData, privacy: PrivacySpec, *, utility: str) -> tuple[str, ...]:
    """Sentences on the guarantee, its assumptions, the noise, and how to read values and intervals.

    Says nothing that the published values, the config and the number of rows do not say.
    """
    return (
        _guarantee(found, privacy, len(data.train)),
        _changed(found, privacy),
        "Taken for public: the held-back rows that judge (the valid split), the columns with their types and classes, the "
        "model and its settings, and which rows were valued. A row's id is published with its value.",
        _noise(privacy),
        f"A value estimates what its row adds to the {utility.replace('_', ' ')} on the held-back rows. Low values are where "
        "to look for wrong labels first; a single low value proves nothing.",
        _interval(privacy),
        "Not promised: protection of facts about the population that would be learnt without the row as well; of several rows "
        "of one person taken together (m rows: m times epsilon); or of the same rows in a second release (the epsilons add up).",
    )


def _guarantee(found: Valuation, privacy: PrivacySpec, rows: int) -> str:
    delta = privacy.delta if not _pure(found, privacy) else 0.0
    what = "is replaced by any other" if privacy.budget.relation is Relation.REPLACE_ONE else "is left out"
    return (
        f"Each of the {rows} rows is protected from whoever reads these values: they are (epsilon={found.epsilon:.4g}, "
        f"delta={delta:g})-differentially private, where neighbouring tables are those in which one row {what} "
        f"({privacy.relation}). Mechanism: {privacy.name}. The budget was epsilon={privacy.epsilon:g}, delta={privacy.delta:g}."
    )


def _pure(found: Valuation, privacy: PrivacySpec) -> bool:
    return privacy.mechanism.directed and not privacy.share_of_path and privacy.scalar_law != "gaussian"


def _changed(found: Valuation, privacy: PrivacySpec) -> str:
    if privacy.budget.relation is Relation.REPLACE_ONE:
        return "A row that is left out is protected at the same epsilon at the least."
    known = "release/epsilon_of_a_changed_record"
    changed = found.facts[known] if known in found.facts else epsilon_of(2 * privacy.budget.mu, privacy.delta)
    return (
        f"A row whose content is changed, rather than left out, is protected at epsilon={changed:.4g} "
        "(privacy.relation=replace_one plans for that case)."
    )


def _noise(privacy: PrivacySpec) -> str:
    if privacy.secure_noise:
        return "The noise came from the operating system's entropy and was recorded nowhere: the guarantee stands."
    return (
        "The noise repeats with the seed of the run: whoever knows or guesses the seed can subtract it, so that this release "
        "protects nobody from them. Run with privacy.secure_noise=true before you publish."
    )


def _interval(privacy: PrivacySpec) -> str:
    if privacy.mechanism.directed:
        return (
            "The interval is that of the noise. Values beyond the clip are drawn in to it, and the public trajectories differ "
            "from training on these rows: neither is in the interval."
        )
    return "The interval is that of the estimate on these held-back rows; others would give somewhat other values."
