# What one does here. `make help` lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
BASE ?= 8400
UNIT := .venv/bin/pytest tests/unit --numprocesses=2 --cov=shared --cov-fail-under=100 --cov-report=term-missing:skip-covered
# Bytecode lies in one folder, so that the tree stays as it was and no process compiles anew what the last one did.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache
# Of tests, beside each other: most of them wait for other processes.
PROCESSES ?= 4

.PHONY: help packages setup up smoke token test check lint e2e unit bench chaos lock clean _code _types _deployment

help:  ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{ line = sprintf("  make %-8s", $$1); many = split($$2, word, " "); \
	  for (at = 1; at <= many; at++) { if (length(line " " word[at]) > 79) { print line; line = sprintf("%15s", "") } line = line " " word[at] } print line }' $(MAKEFILE_LIST)

packages:
	@./dev/bootstrap

setup: packages  ## install all that the local stack and the tests need
	@$(PY) -m dev.prepare

up: packages  ## the whole product here, at one address, until Ctrl-C (BASE=8400)
	@exec $(PY) -m dev.up --base $(BASE) $(if $(filter command,$(origin HOST)),--host $(HOST)) $(if $(EVENTHUBS),--event-hubs $(EVENTHUBS)) $(if $(ENGINE),--engine $(ENGINE))

smoke: packages  ## try the running `make up` as an operator and an auditor would
	@exec $(PY) -m dev.smoke --base $(BASE)

token: packages  ## TOKEN and VM for a shell, to try the API of the running `make up`: eval "$(make token)"
	@$(PY) -m dev.token --base $(BASE)

test: packages  ## set up, then pass every test: page, unit, contract, functions, relay, end to end (FAST=1: without the long ones)
	@$(PY) -m dev.prepare --tests
	@echo '      tests, 1 of 3: the page'
	node --test tests/web/*.test.mjs
	@echo '      tests, 2 of 3: rules and flows'
	$(UNIT)
	@echo '      tests, 3 of 3: all others, long ones first'
	.venv/bin/pytest --ignore=tests/unit --numprocesses=$(PROCESSES) --durations=15 $(if $(FAST),--fast)

check: lint test  ## everything CI runs: lint, types, import rules, all tests

lint: packages  ## lint, types, import rules, deployment policies: no test is run
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target _code _types _deployment

_code:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

_types:
	.venv/bin/mypy

_deployment:
	@infra/checks/run

unit: packages  ## the pure tests alone, in seconds, with every branch covered
	$(UNIT)

e2e: packages  ## the tests with a real browser and a real machine
	@$(PY) -m dev.prepare --tests
	.venv/bin/pytest tests/e2e --numprocesses=4

bench: packages  ## measure: session open, keystroke echo, beside the bare socket; archiver, cost of recording, cold start
	@$(PY) -m dev.prepare
	$(PY) -m bench
	$(PY) -m bench.archive
	$(PY) -m bench.lock
	$(PY) -m bench.arm_calls
	$(PY) -m bench.cold_start

chaos: packages  ## faults at random moments of the whole stack, then every byte is accounted for (SEED=, ROUNDS=60)
	@$(PY) -m dev.prepare
	$(PY) -m dev.chaos --rounds $(or $(ROUNDS),60) $(if $(SEED),--seed $(SEED))

lock: packages  ## renew uv.lock and requirements.txt after a change of pyproject.toml; the fallback's (docs/versions.md) as well
	@uv=.local/tools/bin/uv; [ -x $$uv ] || uv=uv; $$uv lock && $$uv export --quiet --frozen --no-default-groups --no-emit-project --no-hashes --no-header --no-annotate -o requirements.txt \
	  && grep -v '^azure-functions-durable==\|^durabletask==' requirements.txt > .local/same-versions.txt \
	  && $$uv pip compile --quiet --no-header --no-annotate --python-version 3.13 --overrides infra/durable1/overrides.txt --constraints .local/same-versions.txt pyproject.toml -o infra/durable1/requirements.txt

clean:  ## remove what was installed and built here
	rm -rf .venv .local infra/checks/.venv infra/checks/node_modules web/node_modules dev/azurite/node_modules dev/event_hubs/node_modules
