"""Settings of all tests."""

from __future__ import annotations

import os

import hypothesis

# One thread a process: the suite is about numbers, and two threads on two cores only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

hypothesis.settings.register_profile("assay", derandomize=True, database=None, deadline=None, max_examples=40)
hypothesis.settings.load_profile("assay")
