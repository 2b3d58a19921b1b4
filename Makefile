# assay: `make run` and `make test` need Python 3.11+, git and make, and a network for package installation only.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
SCALE ?= laptop
WORKERS ?= 2
# Idle workers take over what others have still to do; each computes in one thread.
PARALLEL := --numprocesses $(WORKERS) --dist worksteal
QUICK := tests/house tests/config tests/runs tests/gradients tests/test_statistics.py
# These carry out whole commands, kill them, or compare every kind of module.
WHOLE := $(foreach name,extension neighbours path,--ignore=tests/house/test_house_$(name).py) --ignore=tests/gradients/test_gradients_modules.py --ignore=tests/runs/test_runs_kill.py

.DEFAULT_GOAL := help
.PHONY: help install dev run lint type check quick test test-slow reproduce bench clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

# A stamp names what is installed, so that a changed requirement installs again and an unchanged one costs nothing.
$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "installing assay into $(VENV), a minute or two"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "installing what lint, types and tests need"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed ## Make .venv and install assay into it

dev: $(VENV)/.dev ## The same with what lint, types and tests need

run: install ## Run the quickstart; ends with its table, report and run directory
	@$(BIN)/assay run experiment=quickstart

lint: dev ## Style and import floors
	$(BIN)/ruff check src tests experiments
	$(BIN)/ruff format --check src tests experiments
	$(BIN)/lint-imports

type: dev ## Types
	$(BIN)/mypy

check: dev ## Style, import floors, types and the quick rooms, side by side: below 90 seconds on two cores
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target lint type quick

quick: dev
	$(BIN)/pytest $(PARALLEL) $(QUICK) $(WHOLE)

test: lint type ## Style, import floors, types, the fast tests of every room and the examples in docstrings
	$(BIN)/pytest $(PARALLEL) tests
	$(BIN)/pytest $(PARALLEL) --doctest-modules src/assay

test-slow: dev ## The tests that take minutes
	$(BIN)/pytest $(PARALLEL) -m slow

reproduce: install ## Check a paper's claims: make reproduce PAPER=private_valuation [SCALE=smoke|laptop|paper]
	@test -n "$(PAPER)" || { echo "PAPER=: must name a paper (make reproduce PAPER=private_valuation)"; exit 2; }
	$(BIN)/assay reproduce $(PAPER) --scale $(SCALE)

bench: install ## Side-by-side timings, peers in environments of their own below .bench
	$(BIN)/python -m experiments.benchmarks
	$(BIN)/python -m experiments.benchmarks.valuation_cost
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.benchmarks.marginal_contributions
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.benchmarks.law_fits
	$(BIN)/python -m experiments.benchmarks.clip_step

clean: ## Remove the environments and caches; runs and reports stay
	rm -rf $(VENV) .bench dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
