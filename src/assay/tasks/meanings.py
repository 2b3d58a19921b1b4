"""Sentences on the columns of the tables that tasks show first."""

from __future__ import annotations

from collections.abc import Iterable

MEANINGS = {
    "id": "id: position of the row in its source, from 0; value: what the row adds to the utility on the valid rows",
    "source": "source: number of the party; value: what its rows add to the utility on the valid rows",
    "ci_low": "brackets: 95 % interval of the estimate on this split; other valid rows would give other values",
    "noise_low": "brackets: 95 % interval of the noise alone; it says nothing of the exact value",
    "pi_low": "brackets: 90 % prediction interval of the exact value, for rows like a mixture of the public ones;"
    " noise_half_width, std_error: of the noise alone, the latter larger where draws are rarely but far off",
    "estimation_uncertainty": "estimation_uncertainty: variance of a value over replicates of noise and permutations"
    " (lower is surer)",
    "scaled_uncertainty": "scaled_uncertainty: the variance over replicates in units of the signal that is shared with"
    " non-private values (above 1 little of it is left)",
    "precision": "precision: share of corrupted rows among as many of the lowest values as there are corrupted rows",
    "auc_ceiling": "auc_ceiling: the most that any attack on a release of this budget can reach",
    "true_positive_rate": "true_positive_rate: members recognised at 1 % false alarms; its ceiling: the most that the"
    " budget allows",
    "view": "view own: the attacker sees the value of the row itself; others: those of all other rows",
    "separation": "separation: mean test score without the lowest values minus that without the highest (above 0 the"
    " values order rows rightly)",
    "removal_gain": "removal_gain: mean test score without the lowest values minus that of the whole",
    "separation_added": "separation_added: mean test score of the highest values alone minus that of the lowest alone",
    "tpr_at_1_percent": "auc, tpr_at_1_percent: how well two worlds are told apart (0.5 and 0.01 are guessing)",
    "proven_epsilon": "proven_epsilon: the attack proves at 95 % that epsilon is no less; excess: how far above the bound",
    "most_proven": "most_proven: the epsilon that so many trials could prove at the most",
    "c": "c, alpha: the value falls with the rows k as c / k^alpha; sigma, beta: its spread as sigma / k^(beta/2)",
    "cardinality": "cardinality: number of rows that a model is fitted to",
    "error": "error: minus the utility on the valid rows, mean over subsets; fitted: the law floor + c / k^alpha",
    "split_half_r2": "r2: share of the variance of mean contributions that a law explains; split_half_r2: share that one"
    " half of the samples explains of the other",
    "coverage": "coverage: share of 95 % intervals that cover the reference; sign_agreement: share of values of its sign",
}
COMPARED = {
    "spearman": "spearman: rank correlation with non-private values",
    "auc": "auc: of finding what was corrupted by low value (0.5 is guessing)",
}

MEANING_OF_TRAINING_AUDIT = (
    "guesses: epsilon that right guesses prove at 95 %; effect: distance of canaries taken in from those left out, in "
    "deviations of the noise; noise: its multiplier; spread: deviation of those taken in over that of those left out; "
    "draws: distance of the rows' numbers of draws from their mean, in deviations of fresh coins; "
    "neighbours: largest change of one step's sum by one row, in clipping norms"
)
"""Sentence on the attacks of an audit of training, which are rows of its table."""


def meanings(columns: Iterable[str], compared: bool = False) -> list[str]:
    """A sentence on each column that has one, in their order; `compared` values stand beside non-private ones."""
    known = MEANINGS | COMPARED if compared else MEANINGS
    return [known[column] for column in columns if column in known]
