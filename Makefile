# GNU make. Everything is installed into .venv; the first target that needs it sets it up.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
ASSETS := assets/pico.min.css
WORKS := $(shell $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo yes)

.DEFAULT_GOAL := help
.PHONY: help demo run test lint format bench assets lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/ready $(ASSETS) ## Start the service, send events, watch them arrive, compare, stop
	@$(PY) manage.py up $(ARGS) --then $(PY) demo.py

run: $(VENV)/ready $(ASSETS) ## Start the service and keep it running (ARGS="--port 9000 --server uvicorn")
	@$(PY) manage.py up $(ARGS)

# Tests start hundreds of processes: each would compile the whole project where nothing may be kept of it.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/ready-dev $(ASSETS) ## Run all tests (ARGS="tests/ingest -x")
ifeq ($(strip $(ARGS)),)
	@$(PY) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
	@$(PY) -m pytest tests/browser --numprocesses 2 --dist loadfile --no-loadscope-reorder
else
	@$(PY) -m pytest $(ARGS)
endif

lint: $(VENV)/ready-dev ## Check style, types and who imports whom
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

format: $(VENV)/ready-dev ## Put the code into its style
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(VENV)/ready-dev $(ASSETS) ## Measure how much it takes in
	@$(PY) -m bench $(ARGS)

assets: $(ASSETS) ## Get the libraries of the web pages from npm

lock: $(VENV)/ready-dev ## Rebuild constraints.txt from the requirements
	@$(PIP) install uv
	@$(PY) -m uv pip compile --universal --no-header --no-annotate --python-version 3.11 \
		--upgrade --output-file constraints.txt requirements-dev.txt

clean: ## Remove what was installed and all caches; .data, where events are kept, stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage static assets node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ASSETS): package-lock.json data_handler/assets.py | $(VENV)/ready
	@echo "Installing package-lock.json into assets"
	@$(PY) -m data_handler.assets

$(VENV)/ready: requirements.txt constraints.txt $(VENV)/made
	@echo "Installing requirements.txt into $(VENV)"
	@$(PIP) install -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt requirements.txt constraints.txt $(VENV)/made
	@echo "Installing requirements-dev.txt into $(VENV)"
	@$(PIP) install -r requirements-dev.txt -c constraints.txt
	@touch $@ $(VENV)/ready

# Made again when its Python is gone, too old, or was left half made.
ifneq ($(WORKS),yes)
.PHONY: $(VENV)/made
endif
$(VENV)/made:
	@if [ "$(WORKS)" != yes ]; then \
		command -v "$(PYTHON)" >/dev/null \
			|| { echo "There is no $(PYTHON): install Python 3.11 or later, or name one: make PYTHON=/path/to/python"; exit 1; }; \
		"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
			|| { echo "$$($(PYTHON) --version) is too old: Python 3.11 or later is needed. Name one: make PYTHON=python3.12"; exit 1; }; \
		"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null \
			|| { echo "$(PYTHON) has no venv or ensurepip: on Debian and Ubuntu, apt install python3-venv"; exit 1; }; \
		rm -rf $(VENV); \
		"$(PYTHON)" -m venv $(VENV); \
	fi
	@touch $@
