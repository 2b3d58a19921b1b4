"""Choices, their schemas and the checks on them; imports no torch, and hydra only to compose."""

from __future__ import annotations

from assay.config.choices import Choices
from assay.config.compose import checked, compose
from assay.config.locations import conf_root, experiments_root

__all__ = ["Choices", "checked", "compose", "conf_root", "experiments_root"]
