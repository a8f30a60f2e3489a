# Two commands matter: `make run` and `make test`. Each makes the Python environment first, when the lock has changed.

VENV := .venv
PY := $(VENV)/bin/python
STACK := $(PY) -m libs.stack
PYTEST := $(PY) -m pytest
LOCK_COMMAND := $(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock" --group pyproject.toml:dev pyproject.toml -o requirements.lock
PYTHON_SOURCES := find libs services -name '*.py' -not -path '*/migrations/versions/*'

.DEFAULT_GOAL := help
.PHONY: help env run stop reset test test-fast fmt lint types openapi features bench migrate lock migration

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: env ## Start everything on this machine, load the demo, print the morning report; Ctrl-C stops it
	@$(STACK) run

stop: env ## Stop the run of this checkout, from any shell
	@$(STACK) stop

reset: env ## Stop, then delete the data, keys and logs of this checkout
	@$(STACK) reset

test: env ## Run every test on servers and ports of its own (ARGS="-k import" narrows it)
	@$(PYTEST) -n 2 --dist loadfile $(ARGS)

test-fast: env ## Run the tests of pure rules, without any server
	@$(PYTEST) -m "not slow and not data" tests/unit $(ARGS)

fmt: env ## Format the code and sort the imports
	@$(PY) -m ruff check --quiet --fix --select I,UP,RUF100 .
	@$(PY) -m ruff format .

lint: env ## Check style, layers, lock, OpenAPI and the size of modules
	@$(PY) -m ruff check --output-format concise .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/lint-imports --no-logo
	@! grep -n '://' requirements.lock || { echo "requirements.lock names a host: make it with make lock"; exit 1; }
	@$(PYTHON_SOURCES) -exec wc -l {} + | awk '$$2 != "total" && $$1 > 400 { print $$2 ": " $$1 " lines, 400 are enough"; bad = 1 } END { exit bad }'
	@$(PY) -m libs.kit.openapi check

types: env ## Check the types, strictly
	@$(PY) -m mypy libs services

openapi: env ## Write the OpenAPI files and the event schemas anew
	@$(PY) -m libs.kit.openapi write

features: env ## Show which feature of the checklist which test shows
	@$(PY) -m libs.testkit.features

bench: env ## Measure against the goals: ratios of one run, with the machine and the versions
	@$(PY) -m tests.bench $(BENCH)

migrate: env ## Bring the databases to their newest revision, those of the run or those of ENCOURS_DATABASE_URL
	@$(STACK) exec -- $(PY) -m libs.kit.migrations upgrade all

lock: env ## Resolve the dependencies of pyproject.toml anew into requirements.lock
	@$(LOCK_COMMAND)

migration: env ## Write the next migration of a service: make migration SERVICE=ledger MESSAGE="add terms"
	@test -n "$(SERVICE)" -a -n "$(MESSAGE)" || { echo 'make migration SERVICE=ledger MESSAGE="add terms"'; exit 2; }
	@$(STACK) exec --throwaway -- $(PY) -m libs.kit.migrations revise $(SERVICE) "$(MESSAGE)"

# The copy of the lock inside the environment says what it was made from: a time stamp would lie after a checkout.
env:
	@cmp -s requirements.lock $(VENV)/requirements.lock && $(PY) -c '' 2>/dev/null || PYTHON="$(PYTHON)" sh .ci/environment $(VENV)
