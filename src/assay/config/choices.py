"""The options of one run, as typed objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from assay.config.contenders import Contender, Contenders
from assay.config.root import GROUPS, Paths
from assay.errors import InputError


@dataclass(frozen=True, eq=False)
class Choices:
    """One checked object for each group, the keys outside the groups, and the plain config they come from.

    Objects of groups are those that `_target_` names, built without torch. `option` says which option each group took.
    """

    name: str
    scale: str
    seed: int
    workers: int
    dataset: Any
    model: Any
    valuation: Any
    privacy: Any
    task: Any
    trainer: Any
    logger: Any
    paths: Paths
    option: Mapping[str, str]
    config: Mapping[str, Any]

    @property
    def contenders(self) -> Contenders:
        """The contenders of the task; for a task without, the run's own valuator and privacy."""
        own = Contender(str(self.option["valuation"]), self.valuation, self.privacy)
        return getattr(self.task, "contenders", None) or (own,)

    @property
    def private(self) -> bool:
        """True when the run or one of its contenders releases anything of a private row."""
        return any(_releases(privacy) is not None for privacy in (self.privacy, *(c.privacy for c in self.contenders)))

    def of(self, contender: Contender) -> Choices:
        """The choices of a run of one contender alone."""
        return replace(self, valuation=contender.valuation, privacy=contender.privacy)

    def check(self) -> None:
        """Raises InputError when the choices contradict each other: each object checks its own needs."""
        for group in GROUPS:
            if group != "valuation" or not hasattr(self.task, "accounts_for"):  # else the task asks no valuator
                _check(getattr(self, group), self)
        for contender in self.contenders:
            _check_account(self.of(contender))
            if contender.valuation is not self.valuation or contender.privacy is not self.privacy:
                _check(contender.valuation, self.of(contender))
                _check(contender.privacy, self.of(contender))


def _check(option: Any, choices: Choices) -> None:
    check = getattr(option, "check", None)
    if callable(check):
        check(choices)


def _releases(privacy: Any) -> Any:
    return getattr(privacy, "releases", None)


def accounted(answering: Any, privacy: Any) -> bool:
    """True where a valuator or a task accounts for what a privacy option releases, if it releases anything."""
    releases = _releases(privacy)
    return releases is None or releases in getattr(answering, "accounts_for", frozenset())


def _check_account(run: Choices) -> None:
    """Refuses a private choice whose releases the task, or else the valuator, has no account for."""
    releases = _releases(run.privacy)
    answers = "task" if hasattr(run.task, "accounts_for") else "valuation"
    if accounted(getattr(run, answers), run.privacy):
        return
    known: frozenset[Any] = getattr(getattr(run, answers), "accounts_for", frozenset())
    name = getattr(getattr(run, answers), "name", run.option[answers])
    limit = f"{answers}={name} accounts for no release of this kind"
    if known:
        limit = f"{answers}={name} accounts for {', '.join(sorted(map(str, known)))}, and this releases {releases}"
    remedy = "use privacy=none, or a valuation that accounts for it (assay list valuation)"
    raise InputError("privacy", getattr(run.privacy, "name", run.option["privacy"]), limit, remedy)
