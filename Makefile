# Two commands: `make lab` to learn, `make test` to check everything. Each prepares the environment first, once.
# And `make site`: the lessons as a website, of what was executed and committed.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := lab
.PHONY: lab test site upgrade

lab: $(READY)
	@$(BIN)/course lab -- $(ARGS)

test: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/course build --check
	$(BIN)/pytest --quiet
	$(BIN)/pytest --quiet --numprocesses 2 --dist loadfile --nbval-lax --nbval-cell-timeout 300 notebooks solutions

site: $(READY)
	$(BIN)/sphinx-build --quiet --fail-on-warning --conf-dir docs --doctree-dir build/doctrees . site
	@echo "Open site/index.html in a browser, or serve the folder site."

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or run make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Preparing the environment in $(VENV): 2.7 GB, a few minutes, only this once."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What would change with the newest versions that pyproject.toml allows, and whether the tests pass with them, in a copy.
# ARGS=--write puts them into requirements.lock instead; then make test.
upgrade: $(READY)
	@$(BIN)/python .ci/upgrade.py $(ARGS)
