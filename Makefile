# Two commands matter: `make run` and `make test`. Everything lives in .venv and $ZHIGAI_HOME; nothing else is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Every start would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=
PORT ?= 8080
PYTEST_ARGS ?=

SERVE_STAMP := $(VENV)/.serve-$(shell cat requirements/uv.txt requirements/serve.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
ALL_STAMP := $(VENV)/.all-$(shell cat requirements/uv.txt requirements/all.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: help run test check bench lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

$(BIN)/uv: requirements/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is missing: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(SERVE_STAMP): $(BIN)/uv
	@echo "Installing what serving needs ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/serve.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.serve-*; touch $@

$(ALL_STAMP): $(SERVE_STAMP)
	@echo "Installing what tests, training and the distributed mode need ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/all.txt
	@rm -f $(VENV)/.all-*; touch $@

run: $(SERVE_STAMP) ## Serve the all-in-one platform at http://127.0.0.1:8080 (PORT=, ZHIGAI_HOME=)
	@PORT=$(PORT) exec $(BIN)/zhigai serve

test: $(ALL_STAMP) ## Everything that proves it works, on real servers that it starts itself
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

check: $(ALL_STAMP) ## The quick loop: format, lint, types, layers, content, unit tests
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache >/tmp/zhigai-layers.$$$$ 2>&1 || { cat /tmp/zhigai-layers.$$$$; rm -f /tmp/zhigai-layers.$$$$; exit 1; }; rm -f /tmp/zhigai-layers.*
	@$(BIN)/zhigai content check
	@$(BIN)/python -m pytest -q tests/unit $(PYTEST_ARGS)

bench: $(ALL_STAMP) ## Benchmarks: a table at the end, JSON in bench/results/
	@$(BIN)/python -m bench

lock: $(BIN)/uv ## Compile the locked requirements anew (after a change in requirements/in/)
	@$(BIN)/python tools/lock.py

clean: ## Remove the environment
	rm -rf $(VENV)
