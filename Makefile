# Every command sets up what it needs; `make help` lists them.
SHELL := /bin/bash
VENV := .venv
LOCK := requirements.txt
PYTHON := python3
PORT ?= 3000
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)
$(if $(or $(findstring %,$(CURDIR)),$(findstring ?,$(CURDIR))),\
	$(error Dagster works in no folder with ? or % in its path: move $(CURDIR)))

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-scale run connect dev check lint deptry test test-commands test-newest test-ui test-faults test-scale \
	bench lock audit clean moved pytest

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Create .venv from the lock (does nothing when nothing changed)

# Each marker holds the folder in which .venv was made, since .venv works in no other. It is
# older than the packages' folder when something else, such as `uv sync`, installed or removed one.
MOVED := $(shell test -x $(BIN)/python && test "$$(cat $(VENV)/.ready 2> /dev/null)" = "$$PWD" \
	|| echo moved)
ADDED := $(wildcard $(VENV)/.ready-dev $(VENV)/.ready-scale)
LOCKS := $(LOCK) $(ADDED:$(VENV)/.ready-%=requirements-%.txt)

$(VENV)/.ready: $(LOCKS) setup.cfg pyproject.toml $(MOVED) $(wildcard $(VENV)/lib/python*/site-packages)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { echo "$(PYTHON) is" \
		"not Python 3.11 to 3.14: install one, and name it, as in: make setup PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(GET_UV)
	@$(UV) venv --quiet $(if $(MOVED),--clear,--allow-existing) --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python $(LOCKS)
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@for each in $(VENV)/lib/python*/site-packages; do mkdir -p $$each/__pycache__; done
	@echo "$$PWD" | tee $@ $(ADDED) > /dev/null

setup-dev: $(VENV)/.ready-dev ## Add what the tests, linters and the bench need

setup-scale: $(VENV)/.ready-scale ## Add what a shared lake, workers and Kubernetes need

$(VENV)/.ready-%: | $(VENV)/.ready
	@echo "Adding to $(VENV) what requirements-$*.txt locks ..."
	@$(UV) pip install --quiet --require-hashes --python $(BIN)/python \
		--requirement requirements-$*.txt
	@echo "$$PWD" | tee $@ $(VENV)/.ready > /dev/null

# uv, from the PATH or from a small environment of its own.
UV = PATH="$$PWD/.venv-uv/bin:$$PATH" uv
GET_UV = $(UV) --version > /dev/null 2>&1 \
	|| { $(PYTHON) -m venv --clear .venv-uv && .venv-uv/bin/python -m pip install --quiet uv; }

run: setup ## Sync every event once, from the API into DuckDB
	@$(BIN)/event-assets sync $(SOURCE)

# As it is written, in which `$filter=name eq 'x'` may stand.
ADDRESS = '$(subst ','\'',$(value URL))'

connect: setup ## Make a source of an API: make connect URL=https://api.example.com/events
	@test -n $(ADDRESS) \
		|| { echo "Give the URL: make connect URL=https://api.example.com/events"; exit 1; }
	@$(BIN)/event-assets connect $(ADDRESS) $(OPTIONS)

# Hides Dagster's advice to use `dg dev`, which loads the definitions once more before it starts.
ADVICE = ignore::FutureWarning:click.core

dev: setup ## Open the Dagster UI on http://127.0.0.1:3000 (PORT=3001: another port)
	@! (: < /dev/tcp/127.0.0.1/$(PORT)) 2> /dev/null \
		|| { echo "Port $(PORT) is taken: name a free one, as in make dev PORT=3001"; exit 1; }
	@for each in "" /history /history/runs /schedules /storage; do \
		test ! -e ".$$each" || test -d ".$$each" -a -w ".$$each" || { echo "Dagster cannot use" \
		"$(CURDIR)$$each: let the user who runs it write in this folder."; exit 1; }; done
	@PYTHONWARNINGS=$(ADVICE) $(BIN)/dagster dev --host 127.0.0.1 --port $(PORT)

check: setup ## Check every defs.yaml, the settings and the definitions
	@$(BIN)/event-assets check

lint: setup-dev ## Run the linters and the type checker
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/hadolint deploy/Dockerfile
	@$(MAKE) --no-print-directory deptry
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/mypy

deptry: setup-dev
	@$(BIN)/deptry . --extend-exclude event_assets_tests --extend-exclude bench
	@$(BIN)/deptry . --extend-exclude bench/peers --ignore DEP002,DEP004  # tests use what is theirs

# Or each of the processes that these start compiles Dagster and dlt for itself.
test test-commands test-newest test-faults bench: export PYTHONDONTWRITEBYTECODE =

# In memory, where a GB is free there: on a disk, the commits of DuckDB take as long as all else.
MEMORY = $(shell df -Pk /dev/shm 2> /dev/null | awk 'NR == 2 && $$4 > 1e6 { print "/dev/shm" }')
test test-commands test-newest: export TMPDIR := $(or $(MEMORY),$(TMPDIR),/tmp)

test: setup-dev ## Run all tests, and the linters and the type checker beside them
	@$(MAKE) --no-print-directory --jobs 2 lint pytest

pytest: setup-dev
	@$(BIN)/pytest --numprocesses 2 --dist worksteal

test-commands: setup-dev ## Start the commands as users do, each in a process of its own
	@$(BIN)/pytest --numprocesses 2 --dist worksteal event_assets_tests/commands

# No library has a part in these but by what the other tests show as well: HTTP, and a load.
JUDGED := changing_lists completeness discovery errors_with_status_200 leaving_events positions \
	removed_events repeated_ids resource_failures resource_parents sync_order synthetic_apis \
	time_windows
OWN_RULES := unit/pagination unit/probe unit/sandbox unit/values/test_redaction.py vendors \
	unit/extract/test_empty_page.py unit/extract/test_list_ends.py $(JUDGED:%=integration/test_%.py)

test-newest: ## Run the tests that a newer Dagster, dlt or DuckDB could fail with it, in .venv-newest
	@$(MAKE) --no-print-directory VENV=.venv-newest LOCK=requirements-newest.txt setup
	@.venv-newest/bin/pytest --numprocesses 2 --dist worksteal -o norecursedirs='.* ui faults scale' \
		$(OWN_RULES:%=--ignore event_assets_tests/%)

test-ui: setup-dev ## Test the UI in a browser (Chromium)
	@command -v chromium chromium-browser google-chrome > /dev/null \
		|| { echo "Chromium is not installed: apt-get install chromium"; exit 1; }
	@$(BIN)/pytest event_assets_tests/ui

test-faults: setup-dev ## Kill syncs, break networks, fill disks (some minutes)
	@PATH="$$PATH:/usr/sbin" command -v nginx > /dev/null \
		|| { echo "nginx is not installed: apt-get install nginx-light"; exit 1; }
	@$(BIN)/pytest --numprocesses 2 --dist worksteal event_assets_tests/faults

test-scale: setup-dev setup-scale ## Try a shared lake and workers, with real servers (some minutes)
	@$(BIN)/pytest --numprocesses 2 --dist loadfile event_assets_tests/scale

bench: setup-dev ## Compare this project with plain dlt, other tools and a floor (an hour)
	@$(BIN)/python -m bench $(OPTIONS)

# Not uv.lock, which holds the address of the registry that it was made with.
COMPILE = $(UV) pip compile --quiet --generate-hashes --universal --python-version 3.11 --upgrade \
	--no-emit-index-url --custom-compile-command "make lock" --output-file

lock: ## Lock the newest versions that pyproject.toml allows
	@$(GET_UV)
	@$(COMPILE) requirements.txt pyproject.toml
	@$(COMPILE) requirements-dev.txt --group dev --constraint requirements.txt
	@$(COMPILE) requirements-scale.txt pyproject.toml --extra scale \
		--constraint requirements.txt --constraint requirements-dev.txt
	@$(COMPILE) requirements-newest.txt pyproject.toml --group dev --no-config \
		--excludes <(echo dagster-embedded-elt)

audit: setup ## Look the locked packages up in a public database of vulnerabilities (needs the network)
	@$(UV) tool run --quiet pip-audit --strict --require-hashes --disable-pip \
		--progress-spinner off $(addprefix --requirement requirements,.txt -dev.txt -scale.txt) $(OPTIONS)

clean: ## Remove .venv and caches (data/ stays)
	@rm -rf .venv .venv-* *.egg-info build .hypothesis .mypy_cache .ruff_cache .pytest_cache
	@find event_assets event_assets_tests bench -name __pycache__ -prune -exec rm -rf {} +
