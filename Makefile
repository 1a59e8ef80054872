# Needs Python 3.11 or newer and make. The environment lives in .venv, the data in data/.

PYTHON ?= python3
PORT ?= 8501

PY := .venv/bin/python
STREAMLIT := $(PY) -m streamlit run app.py --server.port $(PORT)
# A process for each core, four at most; a file's tests stay together, so that they share its servers.
PYTEST := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup run serve check test bench screenshots audit-dependencies format clean

help:  ## Say what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "PORT=8080 after run or serve chooses another port than $(PORT)."

setup: .venv/.run  ## Make the environment: .venv with the pinned packages

run: export YUEJIAN_DEMO = 1
run: setup  ## Serve with a demo bureau in an empty database, on http://localhost:8501
	$(PY) -m db upgrade
	$(PY) -m db demo
	$(STREAMLIT)

serve: setup  ## Serve without demo data; the first start asks for the administrator's account
	$(PY) -m db upgrade
	$(STREAMLIT)

check: .venv/.test  ## Check format, lint and types and run the fast tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PYTEST) -q -m "not slow"

test: .venv/.test  ## Run every test, installing the browser, fonts and database server they need
	tests/setup.sh
	$(PYTEST)

bench: .venv/.test  ## Measure pages, imports and exports, each beside its bare limit; pages into bench.json
	tests/setup.sh
	$(PY) -m tests.bench
	$(PY) -m tests.bench.ledger_page
	$(PY) -m tests.bench.importing
	$(PY) -m tests.bench.exporting
	$(PY) -m tests.bench.peer

screenshots: .venv/.test  ## Make the pictures of the documentation anew
	tests/setup.sh
	$(PY) -m tests.screenshots

audit-dependencies: .venv/.run  ## Ask the advisories about the pinned packages; needs the network
	$(PY) -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(PY) -m pip_audit -r requirements.txt

format: .venv/.test  ## Format the code and mend what lint can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean:  ## Remove the environment and all that was made; data/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis bench.json tests/e2e/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.run: requirements.txt | .venv/bin/pip
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.test: requirements.txt tests/requirements.txt | .venv/bin/pip
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r tests/requirements.txt
	@touch $@ .venv/.run

# Debian keeps a part of venv in a package of its own, so the first try may fail.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/usr/bin/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv > /dev/null 2>&1 || { rm -rf .venv; $(INSTALL_VENV); $(PYTHON) -m venv .venv; }

AS_ROOT = $$([ "$$(id -u)" = 0 ] || echo sudo -n)
INSTALL_VENV = echo "Installing python3-venv ..."; { $(AS_ROOT) apt-get update && $(AS_ROOT) apt-get install -y --no-install-recommends python3-venv; } \
	> /dev/null 2>&1 || { echo "Python's venv is missing: type  sudo apt-get install python3-venv  and try again." >&2; exit 1; }
