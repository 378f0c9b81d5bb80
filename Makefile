# Every command a developer needs. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
RUN := .venv/bin/python -m
WORKERS ?= 2
# Three copies of a sandbox would not fit on two cores, so tests of one world stay on one worker.
# Tests are shuffled, the same way each time: what failed can be seen again, and another number tries another order.
ORDER ?= 1
PYTEST := $(RUN) pytest -n $(WORKERS) --dist loadgroup --randomly-seed=$(ORDER)

.PHONY: help setup setup-demo demo test test-fast test-otp test-gateway check lint type fmt docs reset simulate chaos bench shots

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: setup-demo ## start the whole world on this machine: shop, gateway, bank, phone (Ctrl-C stops it)
	@exec $(RUN) sandbox up

test: setup ## run every test, browser included, and hold the coverage
	@browser=$$(bash .ci/browser) && quickstarts=$$(bash .ci/languages) && softhsm=$$(bash .ci/hsm) && \
	  CHROMIUM=$$browser QUICKSTARTS=$$quickstarts SOFTHSM=$$softhsm $(PYTEST) --cov --cov-report=
	@$(RUN) coverage report --include='*/domain/*' --fail-under=100 --skip-covered --show-missing
	@$(RUN) coverage report --omit='*/domain/*' --fail-under=95 --skip-covered --show-missing

test-fast: setup ## run the tests that need no running sandbox
	@$(PYTEST) -m "not world and not browser"

test-otp: setup ## test the bank alone; passes with gateway/ deleted
	@$(PYTEST) tests/foundation tests/otp

test-gateway: setup ## test the gateway alone; passes with otp/ deleted
	@$(PYTEST) tests/foundation tests/gateway

check: lint type test ## what has to pass before a change lands

lint: setup ## style, import rules
	@$(RUN) ruff check .
	@$(RUN) ruff format --check --quiet .
	@.venv/bin/lint-imports

type: setup ## types
	@$(RUN) mypy

fmt: setup ## repair what can be repaired by itself
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

docs: setup ## write the generated pages again
	@$(RUN) sandbox docs

simulate: setup ## run gateway and bank under faults, repeatable (STEPS=20000 SEED=1 SEEDS=1)
	@$(RUN) sandbox simulate --steps $(or $(STEPS),20000) --seed $(or $(SEED),1) --seeds $(or $(SEEDS),1)

bench: setup ## measure ratios on this machine, each in one run (NAMES="healthy-bank" for some)
	@$(RUN) bench $(NAMES)

shots: setup ## take a picture of every page and state and lay them out in docs/pages.md
	@browser=$$(bash .ci/browser) && CHROMIUM=$$browser $(RUN) bench.pages

chaos: setup ## break real processes while people buy, then compare the books (SECONDS=600 SEED=1)
	@$(RUN) sandbox chaos --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

reset: setup-demo ## forget the sandbox's data and keys
	@$(RUN) sandbox reset

setup: ## make .venv with everything that tests need
	@bash .ci/setup requirements-dev.txt

setup-demo: ## make .venv with what the demo needs
	@bash .ci/setup requirements-sandbox.txt
