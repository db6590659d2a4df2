# Everything a user or a contributor runs. Each target sets up what it needs by itself: a fresh machine
# has Rust (rustup), Node.js 20 or newer with npm, make, git and curl, and nothing else.
# What the targets do stands in tests/tools/ and tests/dev/; this file only names it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# The parts print as they go; two of them at a time would only mix their output.
.NOTPARALLEL:

NODE := node_modules/.bin/node
PARTS := tests/tools/run-parts.sh

.PHONY: help setup setup-audit build dev test lint fmt test-native test-worker test-lab size bench sim chaos faults dead-letters redrive fuzz interop audit deploy clean

help: ## show this list
	@echo "edgepush: make <target>"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install what is needed (every other target does it too)
	@tests/tools/setup.sh

setup-audit:
	@tests/tools/setup.sh --audit

build: setup ## build the worker into build/
	@tests/tools/build.sh

dev: build ## run it here beside the vendor lab, with a demo app and a page, and send one push
	@$(NODE) tests/dev/dev.ts

test: setup-audit ## everything CI runs: lints, native tests, worker tests against the lab, size, dry run
	@$(PARTS)

lint: setup ## format check, clippy on host and wasm32, types of the test code
	@$(PARTS) fmt clippy clippy-wasm types

fmt: setup ## format the Rust code
	@cargo fmt --all

test-native: setup ## cargo test
	@$(PARTS) native

test-worker: setup ## build both flavours and run the worker tests
	@$(PARTS) build build-test worker

test-lab: setup ## the lab's own tests
	@$(PARTS) lab

size: setup ## size of the wasm against its limit
	@$(PARTS) build size

bench: build ## measure: cost, CPU and rows written per push
	@$(NODE) tests/bench/main.ts

sim: build ## one day of a marketplace, sent naively and by edgepush: both funnels, and a picture (SIM_SEED=1)
	@$(NODE) tests/sim/main.ts

chaos: build ## kill the runtime 100 times under load, and count what became of every push (KILLS=100)
	@$(NODE) tests/chaos/main.ts

faults: build ## one table: what becomes of pushes when a vendor, a caller or the runtime fails
	@$(NODE) tests/chaos/faults-main.ts

fuzz: build ## fuzz the HTTP contract (needs python3; FUZZ_SECONDS=120)
	@tests/tools/fuzz.sh

interop: setup ## Web Push bodies of ours, read by a Python library (needs python3)
	@tests/tools/interop.sh

dead-letters: setup ## jobs that were given up, with the reason (URL, ADMIN_KEY; else those of make dev)
	@$(NODE) tests/tools/dead-letters.ts list

redrive: setup ## put them into the queue again
	@$(NODE) tests/tools/dead-letters.ts redrive

audit: setup-audit ## known vulnerabilities in dependencies (needs the advisory database)
	@tests/tools/audit.sh

deploy: build ## check that all is in place, then deploy to Cloudflare
	@$(NODE) tests/tools/deploy.ts

clean: ## remove what was built and all local state; installed tools stay
	@tests/tools/clean.sh
