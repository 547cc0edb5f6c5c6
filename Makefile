# A fresh machine needs Python 3.11 or newer and make; everything else is installed into .venv.

PYTHON ?= python3
BIN := .venv/bin
OLD_DUCKDB := .venv-duckdb15
LANGSMITH := .venv-langsmith
MLFLOW := .venv-mlflow

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-all bench lint format readme clean

help:  ## list the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.installed-demo  ## fill demo-store with example jobs and look at them
	$(BIN)/evalstore --store demo-store demo

test: lint  ## run every check, then the tests
	$(BIN)/python -m pytest

test-all: lint $(OLD_DUCKDB)/.installed  ## the same with the slow tests, then the tests on the oldest DuckDB line
	$(BIN)/python -m pytest -m ""
	$(OLD_DUCKDB)/bin/python -m pytest

bench: .venv/.installed $(LANGSMITH)/.installed $(MLFLOW)/.installed  ## run the benchmarks: half an hour; EVALSTORE_BENCH_SCALE=0.01 for a quick look
	$(BIN)/python -m pytest tests/benchmarks -n 0 -m "" --timeout 0 -s

lint: .venv/.installed  ## style, types, layers and SQL
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql

format: .venv/.installed  ## put Python and SQL into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/sqlfluff fix sql

readme: .venv/.installed  ## write the generated parts of the README
	$(BIN)/python -m tests.readme_sections

clean:  ## remove what make made
	rm -rf .venv $(OLD_DUCKDB) $(LANGSMITH) $(MLFLOW) demo-store .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/.installed-demo: pyproject.toml
	$(call set_up,.venv,.)

.venv/.installed: pyproject.toml
	$(call set_up,.venv,'.[dev]')
	@touch .venv/.installed-demo

$(OLD_DUCKDB)/.installed: pyproject.toml
	$(call set_up,$(OLD_DUCKDB),'.[dev]' 'duckdb<2')

# What is compared with in benchmarks, and nothing else.
$(LANGSMITH)/.installed: pyproject.toml
	$(call set_up,$(LANGSMITH),. 'langsmith==0.15.0')

$(MLFLOW)/.installed: pyproject.toml
	$(call set_up,$(MLFLOW),'mlflow==3.17.2')

# $(1): the environment's folder, $(2): what pip installs into it.
# A folder whose installation did not come to its end is thrown away and made anew.
define set_up
	@command -v $(PYTHON) >/dev/null || { \
		echo "evalstore needs Python 3.11 or newer, and there is no $(PYTHON) here." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "evalstore needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) lacks the modules venv and ensurepip; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@if [ -e $(1)/.installing ] || ! $(1)/bin/python -c 'import pip' 2>/dev/null; then \
		echo "[1/2] making $(1) with $$($(PYTHON) --version)" >&2; \
		rm -rf $(1) && $(PYTHON) -m venv $(1); \
	else \
		echo "[1/2] $(1) is there" >&2; \
	fi
	@echo "[2/2] installing $(2) with pip: some minutes the first time" >&2
	@touch $(1)/.installing
	@$(1)/bin/python -m pip install --disable-pip-version-check --editable $(2) >&2
	@rm $(1)/.installing
	@touch $@
endef
