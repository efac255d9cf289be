# The commands of this project; `make help` lists them. Everything is installed into .venv, nothing outside this folder.
PYTHON ?= python3
SITE   ?= site.yaml
BIN    := .venv/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --constraint constraints.txt
WAITING ?= 6
SECONDS ?= 3600
SEEDS   ?= fixed
SITES   ?= 1000
PYTEST  := $(BIN)/python -m pytest -q --dist worksteal
# Tests of the packages by themselves are measured for coverage and keep the cores busy. Whole plants and processes are
# not measured, because they live in real time: they mostly wait (so there are WAITING of them), beside the others.
MEASURED := tests/orchestrator tests/actors
PLANTS_LOG := .pytest-plants.log
COMPILE_LOG := .pytest-compile.log

# Runs pytest with $(1), which mostly waits, beside pytest with $(2), which keeps the cores busy; fails where either does.
define BESIDE
$(PYTEST) $(1) >$(PLANTS_LOG) 2>&1 & plants=$$!; trap 'kill $$plants 2>/dev/null' INT TERM; status=0; \
  $(PYTEST) $(2) || status=1; \
  echo "whole plants and processes (they run since the start, see $(PLANTS_LOG)) ..."; \
  wait $$plants || status=1; cat $(PLANTS_LOG); exit $$status
endef

# Tests start hundreds of processes, and each of their workers imports every test: compiled once, all of it costs half.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run stack fleet test test-long compile soak bench docs release lint format clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: .venv/run.stamp  ## run the example site: virtual devices, a broker and the orchestrator
	@$(BIN)/orchestrator run $(SITE) --demo

stack: .venv/run.stamp  ## run all of it: virtual site, orchestrator, Mosquitto with users, Prometheus (Grafana too where Docker is)
	@if docker info >/dev/null 2>&1; then deploy/stack/compose.sh; else $(BIN)/python deploy/stack/stack.py; fi

test: .venv/dev.stamp  ## check and test everything that takes less than ten minutes
	@$(MAKE) --no-print-directory --jobs 2 lint compile
	@$(call BESIDE,-n $(WAITING) -m "not long" $(MEASURED:%=--ignore=%),-n 3 -m "not long" $(MEASURED) --cov --cov-report=)

test-long: compile  ## the tests that take longer
	@$(call BESIDE,-n $(WAITING) -m long tests/system,-n 2 -m "long or hypothesis" --hypothesis-profile=unhurried --ignore=tests/system)

soak: .venv/dev.stamp  ## 10,000 faults in virtual time, then a real site killed 200 times (SECONDS=3600 SEEDS=fresh)
	@$(BIN)/python -m tools.soak --seconds $(SECONDS) --seeds $(SEEDS)

fleet: .venv/dev.stamp  ## a portfolio of 1000 sites on a cluster of brokers (SITES="100 300 1000": how its cost grows)
	@$(BIN)/python -m tools.fleet --sites $(SITES)

bench: .venv/dev.stamp  ## measure requests, CPU time and reaction time with 3, 10 and 50 inverters
	@$(BIN)/python -m bench

docs: .venv/dev.stamp  ## the docs as a site, in build/docs; any warning is a mistake
	@$(BIN)/python -m tools.docs_site

release: .venv/dev.stamp  ## make a release of HEAD: make release VERSION=0.2.0 (DRY=--dry-run: no commit, no tag)
	@test -n "$(VERSION)" || { echo "which one? make release VERSION=0.2.0"; exit 1; }
	@$(BIN)/python -m tools.release $(VERSION) $(DRY)

compile: .venv/dev.stamp  # workers that start at once would each compile all tests
	@$(PYTEST) -n 0 --collect-only -qq >$(COMPILE_LOG) 2>&1 || { cat $(COMPILE_LOG); exit 1; }

lint: .venv/dev.stamp  ## check format, style, types and who imports whom
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/dev.stamp  ## bring the code into its format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

clean:  ## remove what was installed and made here (not state/)
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache htmlcov .coverage $(PLANTS_LOG) $(COMPILE_LOG) .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says what is installed: an installed `make run` starts at once. Every version is pinned in constraints.txt.
.venv/run.stamp: setup.cfg pyproject.toml constraints.txt | .venv/bin/pip
	@echo "installing into .venv (a minute, once) ..."
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation --editable '.[demo]'
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	@echo "installing the tools for development ..."
	@$(INSTALL) --no-build-isolation --editable '.[demo,dev,docs]'
	@touch $@

.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or later"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed, $(PYTHON) is $$($(PYTHON) --version); try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "the venv module of Python is missing: sudo apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv
