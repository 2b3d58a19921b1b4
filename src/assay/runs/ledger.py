"""The entries of a run's ledger, and the facts that follow from them.

An entry is a mapping with `epsilon` (spent so far by its account), `delta`, `relation` and `noise` ("secure" or "seeded");
`account` tells several accounts apart, and an account of simulated repetitions counts for `replicates` of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]


def of_account(entries: Sequence[Entry], account: str, replicates: int = 1, **label: Any) -> list[dict[str, Any]]:
    """The entries with the name of their account, its replicates and further labels, which come first."""
    return [{"account": account, "replicates": replicates, **label, **entry} for entry in entries]


def facts_of(ledger: Sequence[Entry]) -> dict[str, Any]:
    """Noise, epsilon, delta and relation of everything that was charged.

    `noise` is none, seeded (repeatable, so no guarantee) or secure, which all of it must be. `epsilon` and `delta` are sums
    over accounts and their replicates (basic composition); where these are several, `estimates` is their number and
    `epsilon_per_estimate` the largest.
    """
    if not ledger:
        return {"noise": "none"}
    last = list({str(entry.get("account", "")): entry for entry in ledger}.values())
    counts = [int(entry.get("replicates", 1)) for entry in last]
    spent = [float(entry["epsilon"]) for entry in last]
    facts = {
        "noise": "secure" if all(entry.get("noise") == "secure" for entry in ledger) else "seeded",
        "epsilon": sum(epsilon * count for epsilon, count in zip(spent, counts, strict=True)),
        "delta": sum(float(entry["delta"]) * count for entry, count in zip(last, counts, strict=True)),
        "relation": ", ".join(sorted({str(entry["relation"]) for entry in last if "relation" in entry})),
    }
    if sum(counts) > 1:
        facts |= {"estimates": sum(counts), "epsilon_per_estimate": max(spent)}
    return facts
