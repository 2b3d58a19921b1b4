"""privacy=none."""

from __future__ import annotations

from dataclasses import dataclass

from assay.privacy.option import Privacy


@dataclass(frozen=True)
class NoPrivacy(Privacy):
    """No clipping and no noise: the results protect nobody."""
