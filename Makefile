# Three commands matter: make run, make test, make check. Everything they need is made in .venv and var.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?= -n 3

.DEFAULT_GOAL := help
.PHONY: help compiled setup run test servers check docs bench memory overhead outages lists sampling upload-page lock sbom audit clean

help:
	@echo "make run          set up if needed, then serve on http://127.0.0.1:8080"
	@echo "make test         run the tests (ARGS='-k name' instead of '$(ARGS)')"
	@echo "make check        style, types, import rules, migrations, Django's checks"
	@echo "make docs         builds the documents as a site, var/docs/index.html"
	@echo "make bench        measures everything and writes docs/benchmarks.md, about half an hour on an idle machine"
	@echo "make memory       how much a worker grows under big uploads (MEMORY='--backend sink --kind parts')"
	@echo "make servers      builds the servers in Go that tests talk to, minutes the first time; make test does it meanwhile"
	@echo "make overhead     what tracing costs a small upload (OVERHEAD='--mode null')"
	@echo "make lists        how long the desk's lists take with 100,000 uploads (LISTS='--postgres')"
	@echo "make outages      what an outage of the collector costs (OUTAGES='--outage refused --seconds 20')"
	@echo "make sampling     what tail sampling keeps of 100,000 requests (SAMPLING='--minutes 5': of long uploads)"
	@echo "make setup        what 'make run' does before it serves"
	@echo "make upload-page  bundles what the upload page takes from npm, with Node.js 20 and the network"
	@echo "make lock         write requirements*.txt anew from requirements*.in"
	@echo "make sbom         writes sbom.json: what the gateway is made of, as CycloneDX"
	@echo "make audit        asks whether a pinned package has a known vulnerability (AUDIT='--vulnerability-service osv')"
	@echo "make clean        remove the environment and caches; var/ stays"

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "No virtual environment could be made. On Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.requirements: requirements.txt | $(BIN)/pip
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt $(VENV)/.requirements
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.requirements-docs: requirements-docs.txt $(VENV)/.requirements-dev
	@echo "Installing requirements-docs.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@

# It looks by itself whether anything has changed since.
compiled: $(VENV)/.requirements
	@$(BIN)/python -m tracing_app.compiling

setup: compiled
	@$(BIN)/python manage.py setup_dev

run: setup
	@exec $(BIN)/python manage.py serve

test: $(VENV)/.requirements-docs compiled
	@nice $(MAKE) --no-print-directory servers >/dev/null 2>&1 &
	@tests/e2e/clients/setup.sh
	@$(BIN)/python -m pytest $(ARGS)

# Tests that need one wait for it, and say why when it could not be built.
servers:
	@$(PYTHON) -m tests.servers.go_tools

docs: $(VENV)/.requirements-docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "var/docs/index.html"

# Django's settings are read by several of these; they get a var folder that is thrown away.
check: $(VENV)/.requirements-dev
	@export MIZUCHI_VAR=$$(mktemp -d) MIZUCHI_CONFIG= && trap 'rm -rf "$$MIZUCHI_VAR"' EXIT && set -ex \
		&& $(BIN)/ruff check \
		&& $(BIN)/ruff format --check \
		&& $(BIN)/mypy \
		&& $(BIN)/lint-imports \
		&& $(BIN)/python manage.py makemigrations --check --dry-run \
		&& $(BIN)/python manage.py check --fail-level WARNING

# The benchmarks' servers have folders of their own; what the command itself needs is thrown away.
bench: compiled
	@export MIZUCHI_VAR=$$(mktemp -d) MIZUCHI_CONFIG= && trap 'rm -rf "$$MIZUCHI_VAR"' EXIT \
		&& $(BIN)/python manage.py bench --markdown docs/benchmarks.md

memory: $(VENV)/.requirements-dev
	@$(BIN)/python tests/endurance/memory.py $(MEMORY)

overhead: $(VENV)/.requirements-dev compiled
	@$(BIN)/python tests/endurance/overhead.py $(OVERHEAD)

outages: $(VENV)/.requirements-dev
	@$(BIN)/python tests/endurance/outages.py $(OUTAGES)

lists: $(VENV)/.requirements-dev
	@$(BIN)/python tests/endurance/admin_lists.py $(LISTS)

sampling: $(VENV)/.requirements-dev
	@$(BIN)/python tests/endurance/sampling.py $(SAMPLING)

# The bundle is in git: nobody else needs Node.js.
upload-page:
	@cd mizuchi_site/upload_page && npm ci --ignore-scripts --no-audit --no-fund && npm run build

# For every Python and platform that the project runs on: what one of them needs more is in it, with its condition.
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11

lock: $(VENV)/.requirements
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) requirements-audit.in -o requirements-audit.txt
	$(COMPILE) requirements-docs.in -o requirements-docs.txt

# The tools for these two have forty packages of their own, which nothing else needs.
$(VENV)-audit/.requirements: requirements-audit.txt | $(BIN)/pip
	@echo "Installing requirements-audit.txt into $(VENV)-audit ..."
	@$(BIN)/python -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

sbom: $(VENV)-audit/.requirements
	@$(VENV)-audit/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --validate \
		--output-file sbom.json requirements.txt
	@echo "sbom.json"

audit: $(VENV)-audit/.requirements
	@$(VENV)-audit/bin/python .ci/audit.py $(AUDIT) requirements*.txt

clean:
	rm -rf $(VENV) $(VENV)-audit sbom.json .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +
