"""Breaches of the rules of the house that older code still has; a number may only fall."""

from __future__ import annotations

OTHER_DEFAULTS: set[str] = {"paths=default"}
