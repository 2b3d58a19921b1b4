"""Choices, their schemas and the checks on them; imports no torch, and hydra only to compose."""

from __future__ import annotations

from assay.config.compose import checked, compose
from assay.config.locations import conf_root, experiments_root

__all__ = ["checked", "compose", "conf_root", "experiments_root"]
