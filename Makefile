# Every command sets up what it needs; `make help` lists them.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help setup setup-scale run dev check test test-ui test-faults test-scale bench lock audit clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(VENV)/.ready ## Create .venv from the lock (does nothing when nothing changed)

$(VENV)/.ready: requirements.txt setup.cfg pyproject.toml
	@echo "Setting up $(VENV) ..."
	@command -v uv > /dev/null || test -x $(VENV)-uv/bin/uv \
		|| { python3 -m venv $(VENV)-uv && $(VENV)-uv/bin/pip install --quiet uv; }
	@$(UV) venv --quiet --allow-existing --python python3 $(VENV)
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.txt \
		$(if $(wildcard $(VENV)/.ready-scale),requirements-scale.txt)
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $@

setup-scale: $(VENV)/.ready-scale ## Add what a shared lake, workers and Kubernetes need

$(VENV)/.ready-scale: $(VENV)/.ready requirements-scale.txt
	@echo "Adding to $(VENV) what it takes past one machine ..."
	@$(UV) pip install --quiet --require-hashes --python $(BIN)/python \
		--requirement requirements-scale.txt
	@touch $@

# uv, from the PATH or from a small environment of its own.
UV = PATH="$(CURDIR)/$(VENV)-uv/bin:$$PATH" uv

run: setup ## Sync every event once, from the API into DuckDB
	@$(BIN)/python -m event_assets

dev: setup ## Open the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/dagster dev --host 127.0.0.1 --port 3000

check: setup ## Check defs.yaml: names, values, definitions
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/dg check defs

test: setup ## Run the linters, the type checker and all tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/hadolint deploy/Dockerfile
	@$(BIN)/mypy
	@$(BIN)/pytest --numprocesses 2

test-ui: setup ## Look at the UI with a browser (Chromium)
	@command -v chromium chromium-browser google-chrome > /dev/null \
		|| { echo "There is no Chromium to look with: apt-get install chromium"; exit 1; }
	@$(BIN)/pytest event_assets_tests/ui

test-faults: setup ## Kill syncs, break networks, fill disks: what survives (some minutes)
	@PATH="$$PATH:/usr/sbin" command -v nginx > /dev/null \
		|| { echo "There is no nginx to stand in front: apt-get install nginx-light"; exit 1; }
	@$(BIN)/pytest --numprocesses 2 --dist worksteal event_assets_tests/faults

test-scale: setup-scale ## Try a shared lake and workers, with real servers (some minutes)
	@$(BIN)/pytest --numprocesses 2 --dist loadfile event_assets_tests/scale

bench: setup ## Measure this project beside plain dlt and beside the bare limit
	@$(BIN)/python -m bench $(OPTIONS)

LOCK = $(UV) pip compile --quiet --generate-hashes --universal --python-version 3.10 \
	--no-emit-index-url --custom-compile-command "make lock"

lock: setup ## Lock the newest versions that setup.cfg allows
	@$(LOCK) --upgrade --extra dev --output-file requirements.txt setup.cfg
	@$(LOCK) --upgrade --extra scale --constraint requirements.txt \
		--output-file requirements-scale.txt setup.cfg

audit: setup ## Look the locked packages up in a public database of vulnerabilities (needs the network)
	@$(UV) tool run --quiet pip-audit --strict --require-hashes --disable-pip \
		--progress-spinner off --requirement requirements.txt \
		--requirement requirements-scale.txt $(OPTIONS)

clean: ## Remove .venv and caches (data/ stays)
	@rm -rf $(VENV) $(VENV)-uv *.egg-info .mypy_cache .ruff_cache .pytest_cache
	@find event_assets event_assets_tests bench -name __pycache__ -prune -exec rm -rf {} +
