# make demo: see it run.  make test: prove it works.  Both need Python 3.11 or newer and nothing else.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PATH := $(CURDIR)/$(BIN):$(PATH)

PORT ?= 8000
EVENTS ?= 200000
PYTEST_ARGS ?=

.PHONY: help demo test test-faults setup-test bench bench-client lint format client check-client lock wheel-smoke clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.installed ## Serve a demo site with a year of decisions and events on PORT
	@$(BIN)/consent-service demo --port $(PORT) --events $(EVENTS)

test: setup-test static/node_modules/.installed ## Run every test, after installing what they need
	@npm --prefix static run --silent check
	@npm --prefix static test --silent
	@bash tools/test.sh $(BIN)/python $(PYTEST_ARGS)

test-faults: setup-test ## Run only the tests that kill processes and break disks
	@$(BIN)/python -m pytest tests/faults $(PYTEST_ARGS)

setup-test: $(VENV)/.installed-dev
	@bash tools/setup-test.sh $(BIN)/python

bench: $(VENV)/.installed-dev ## Measure speed on this machine
	@$(BIN)/python -m bench

bench-client: setup-test $(VENV)/.installed-dev static/node_modules/.installed ## Measure the client beside its peers in a real browser
	@$(BIN)/python -m bench.client

lint: $(VENV)/.installed-dev ## Check style and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(VENV)/.installed-dev ## Write every file in the project's style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

CLIENT := static/consent.js static/consent.core.js static/consent.dialog.js static/consent.signals.js static/consent.more.js static/consent.again.js static/consent.coverage.js static/consent.extra.js static/consent.layouts.json

client: static/node_modules/.installed $(VENV)/.installed ## Build the client from static/src, and write its hashes into the docs
	@npm --prefix static run --silent build
	@$(BIN)/python tools/pin_client.py

check-client: client ## Show that the committed client is what its sources build
	@git diff --exit-code --stat -- $(CLIENT) docs/versions.md docs/websites.md && git ls-files --error-unmatch $(CLIENT) >/dev/null
	@echo "static/consent*.js are what static/src builds, byte for byte"

wheel-smoke: $(VENV)/.installed-dev ## Install the wheel elsewhere and run its demo
	@bash tools/wheel-smoke.sh $(BIN)/python

lock: $(BIN)/python ## Write the lock files anew from pyproject.toml (needs uv)
	@bash tools/lock.sh

clean: ## Remove what this file made
	@rm -rf $(VENV) static/node_modules dist

$(BIN)/python:
	@bash tools/make-venv.sh $(VENV)

# The stamps lie in what they stand for, so that they go with it.
$(VENV)/.installed: requirements/runtime.txt requirements/build.txt pyproject.toml consent_service/__init__.py | $(BIN)/python
	@echo "Installing $$(grep -c == requirements/runtime.txt) libraries ..."
	@$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@echo "Installing what tests and checks need ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

static/node_modules/.installed: static/package-lock.json | setup-test
	@echo "Installing the client's build tools ..."
	@npm --prefix static ci --no-audit --no-fund --silent
	@touch $@
