# Two commands do everything: `make run` and `make test`.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test setup dev lint types check-all serve lock dictionary clean

# Sets up, then builds everything from the embedded data, without network.
run: $(STAMP)
	@"$(BIN)/freefall" run

# Sets up, then runs every test.
test: $(STAMP)
	@"$(BIN)/python" -m pytest

setup: $(STAMP)

# pip checks every hash of requirements.lock; freefall itself is linked, with no download.
$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit("freefall needs Python 3.11 to 3.14; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11" if not (3, 11) <= sys.version_info[:2] <= (3, 14) else 0)'
	@"$(PYTHON)" -m venv "$(VENV)" || { echo "freefall: could not make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into $(VENV) ..."
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch "$(STAMP)"

# The Dagster UI, with its home below this checkout and no telemetry.
dev: $(STAMP)
	@"$(BIN)/python" -c 'from pipelines.cli.run import prepare_dagster; from pipelines.config import Config; prepare_dagster(Config.from_environment().home)'
	@DAGSTER_HOME="$(CURDIR)/data/.dagster" DAGSTER_DISABLE_TELEMETRY=1 "$(BIN)/dg" dev

serve: $(STAMP)
	@"$(BIN)/freefall" serve

lint: $(STAMP)
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .

types: $(STAMP)
	@"$(BIN)/mypy"

# Everything that CI checks.
check-all: lint types test run

# data/DICTIONARY.md from the declarations.
dictionary: $(STAMP)
	@"$(BIN)/python" -c 'from pathlib import Path; from pipelines.schema.dictionary import dictionary; Path("data/DICTIONARY.md").write_text(dictionary(), encoding="utf-8")'

# requirements.lock from pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-strip-extras \
		--no-emit-index-url --custom-compile-command "make lock" -q -o requirements.lock

# Removes what a run makes; keeps the archive of payloads.
clean:
	rm -rf data/warehouse.duckdb data/published data/.dagster data/last_run.json dashboards/site
