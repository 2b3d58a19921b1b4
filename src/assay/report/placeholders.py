"""Names of metrics that follow the sizes of a run: `{last task.evaluations}` stands for the last entry of that setting."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from assay.report.claims import Claim
from assay.report.reading import MISSING, setting_of

PLACES = {"first": 0, "second": 1, "last": -1}
PLACEHOLDER = re.compile(rf"\{{(?:({'|'.join(PLACES)}) )?([\w.]+)\}}")


def filled(text: str, config: Mapping[str, Any]) -> str:
    """The text with the config's values for `{key}`, `{first key}`, `{second key}` and `{last key}`.

    A placeholder that the config has no value for stays.

    >>> filled("iid/{last task.evaluations}/auc", {"task": {"evaluations": [10, 40, 160]}})
    'iid/160/auc'
    """

    def value(match: re.Match[str]) -> str:
        place, key = match.groups()
        setting = setting_of(config, key)
        if place is not None:
            at = PLACES[place]
            known = isinstance(setting, list | tuple) and len(setting) > max(at, 0)
            setting = setting[at] if known else MISSING
        is_value = isinstance(setting, str | int | float) and not isinstance(setting, bool)
        return str(setting) if is_value else match[0]

    return PLACEHOLDER.sub(value, text)


def filled_claim(claim: Claim, config: Mapping[str, Any]) -> Claim:
    """The claim with its statement and metrics as they read for a run of this config."""
    minus = None if claim.minus is None else filled(claim.minus, config)
    return dataclasses.replace(
        claim, statement=filled(claim.statement, config), metric=filled(claim.metric, config), minus=minus
    )
