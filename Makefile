# Everything a checkout needs is Python 3.11 or newer, make and git.
PYTHON ?= python3
PORT ?= 4566
# Options of pytest: two workers, as many as there are stacks to test on.
PYTEST_ARGS ?= -n 2
# Without a network `make lint` goes on, and prints what it could not check; CI empties this, and fails.
AUDIT_ARGS ?= --allow-unchecked
ARCHITECTURE ?= arm64
RUNTIME := 3.13

VENV := .venv
BIN := $(VENV)/bin
SAM := .sam-venv/bin/sam
CHECKOV := .checkov-venv/bin/checkov
PLATFORM := $(if $(filter arm64,$(ARCHITECTURE)),aarch64,x86_64)-manylinux_2_28
RENTALS := build/demo/ISLP/data/Bikeshare.csv
# The SDK is the layer's own: what the runtime brings may be older and would drop a condition of a write that it does not
# know. Of its 400 services these are kept; the others are 20 MB that would not fit beside the science.
SDK_SERVICES := apigateway cloudwatch dynamodb events firehose lambda s3 secretsmanager sqs stepfunctions sts xray
SDK_DATA := build/layers/dependencies/python/botocore/data
# NannyML asks for these, and for no statsmodels, which it imports; a benchmark on one processor needs neither.
NEVER_RUN := kaleido nvidia-nccl-cu12
# Every version with every hash of it, for each Python from 3.11 on; no index is named.
LOCK := requirements/hindsight.txt
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
STACK_PARAMETERS = $(foreach name,ClientTimestamps ScheduleState,$(if $($(name)),--parameter $(name)=$($(name))))

# An environment that forbids them, as images do, would have every process of the tests compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-outside test test-unit test-contract test-functions test-template test-stack test-browser lint fmt up down console status \
	clean-local deploy-local verify-dataset redrive openapi docs dist build layers locks bench-labels bench-monitoring bench-pipeline \
	cost capacity chaos hostile account permissions

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo 'Defaults, to be overridden as in `make up PORT=4567`: PYTHON=$(PYTHON) PORT=$(PORT) ARCHITECTURE=$(ARCHITECTURE) PYTEST_ARGS="$(PYTEST_ARGS)"'

setup: $(VENV)/.synced ## Create the virtual environment with the pinned dependencies (the other targets do it too)

demo: setup $(RENTALS) ## Replay a year of bike rentals through a local stack and report how the loop did
	$(BIN)/hindsight demo --data $(RENTALS)

demo-outside: setup ## Close the loop around a model that is served and trained elsewhere; writes out/outside/summary.json
	$(BIN)/hindsight outside

test: setup ## Run all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-unit: setup ## Run the tests of each part by itself, and the examples in docstrings
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/unit shared pipelines local bench

test-contract: setup ## Run the suites that a fake and its adapter both pass
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/contract

test-functions: setup ## Run the tests of the handlers, with their adapters on moto
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/functions

test-template: setup ## Run the tests of the template: rights, alarms, dead letters, schedules
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/template

test-stack: setup ## Run the tests of the whole stack on an embedded AWS
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/stack tests/account

test-browser: setup ## Run the tests of the console in Chromium (apt-get install chromium); without one they are skipped
	$(BIN)/python -m pytest -n 0 -rs tests/browser

lint: setup $(CHECKOV) ## Check style, types, the template, and what is known of insecure code and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy shared functions pipelines local bench
	$(BIN)/cfn-lint template.yaml
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml shared functions pipelines local bench
	@mkdir -p build && $(BIN)/hindsight template > build/template.json
	$(CHECKOV) --quiet --compact --skip-download --framework cloudformation --file build/template.json
	$(BIN)/hindsight audit $(AUDIT_ARGS)

fmt: setup ## Format the code, and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-labels: setup $(RENTALS) ## Measure how labels are joined and reviewed; writes out/bench/labels.json
	$(BIN)/python -m bench.labels

bench-monitoring: setup ## Measure drift, performance and estimates: alarms, delays, costs; writes out/bench/monitoring.json
	$(BIN)/python -m bench.monitoring

bench-pipeline: setup ## Measure snapshot, training, gate, deployment and rollback; writes out/bench/pipeline.json
	$(BIN)/python -m bench.pipeline

cost: setup ## Count what a month costs, quiet and under traffic; writes out/cost/summary.json and the table of docs/figures.md
	$(BIN)/python -m bench.cost

chaos: setup ## Lose, repeat, kill and poison for twenty seeds, and reconcile; writes out/chaos/summary.json
	$(BIN)/python -m bench.chaos

hostile: setup ## Send hostile requests and files, and hold the API against its document; writes out/hostile/summary.json
	$(BIN)/python -m bench.hostile

account: setup ## Run everything in an embedded AWS that is as a real account; writes out/account/summary.json
	$(BIN)/python -m bench.account

capacity: setup ## Count what a prediction asks of each part and write the tables of docs/capacity.md
	$(BIN)/python -m bench.capacity

permissions: setup ## Run the stack's tests and note what its functions are allowed; what no test needs fails one afterwards
	$(BIN)/python -m bench.permissions

up: setup ## Start the embedded AWS with what it held, and deploy to it (by default PORT=4566 ClientTimestamps=bounded ScheduleState=ENABLED)
	$(BIN)/hindsight up --port $(PORT) $(STACK_PARAMETERS)

down: setup ## Stop it, leave nothing running and keep what it holds (all ports, or PORT=...)
	$(BIN)/hindsight down $(if $(filter-out file default,$(origin PORT)),--port $(PORT))

console: setup ## Open the console of the running stack in a browser, and print its keys (PORT=... of several)
	@$(BIN)/hindsight console $(if $(filter-out file default,$(origin PORT)),--port $(PORT))

status: setup ## List the local stacks that are up
	@$(BIN)/hindsight status || true

clean-local: setup ## Stop every local stack and delete what they hold, and what runs, builds and caches left
	# Of all ports, whichever is named: a stack whose state is deleted could not be stopped any more.
	$(BIN)/hindsight down
	rm -rf .local out build dist .aws-sam .mypy_cache .ruff_cache .hypothesis .sam-venv .checkov-venv

deploy-local: setup ## Deploy to AWS_ENDPOINT_URL (LocalStack-compatible), or again to the running local stack
	$(BIN)/hindsight deploy $(STACK_PARAMETERS)

verify-dataset: setup ## Build a dataset of the running stack again, bit for bit (MODEL=..., DATASET=..., PORT=... of several)
	$(BIN)/hindsight verify --model $(or $(MODEL),$(error MODEL=... is missing)) --dataset $(or $(DATASET),$(error DATASET=... is missing: a version names its own, in the console and in GET …/versions)) $(if $(filter-out file default,$(origin PORT)),--port $(PORT))

redrive: setup ## Send what a dead-letter queue of the running stack holds once more (QUEUE=..., PORT=... of several)
	$(BIN)/hindsight redrive --queue $(or $(QUEUE),$(error QUEUE=... is missing: docs/runbook.md names the queues)) $(if $(filter-out file default,$(origin PORT)),--port $(PORT))

openapi: setup ## Write the OpenAPI document that the HTTP API serves, and the tables of the reference pages
	$(BIN)/hindsight openapi

docs: openapi ## Write the generated pages anew, and check that every link of every page leads somewhere
	$(BIN)/python -m pytest -q -n 0 tests/unit/docs

dist: setup ## Build the wheel of the library and its launcher into dist/
	$(BIN)/uv build --quiet --wheel --out-dir dist

build: setup layers $(SAM) ## Build what is deployed (ARCHITECTURE=arm64) and check its size
	SAM_CLI_TELEMETRY=0 $(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)
	$(BIN)/hindsight sizes

layers: $(foreach name,dependencies science data,build/layers/$(name)/.$(ARCHITECTURE)) ## Put the layers together

# Pip takes uv out of the lock, uv the rest, pip too; both check every hash. A set-up that was stopped may have lost pip.
$(VENV)/.synced: pyproject.toml $(LOCK)
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	@awk '/^[a-z0-9]/ {taken = /^uv==/} taken' $(LOCK) > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

# The package asks for a deep-learning framework that one file of data does not need.
$(RENTALS): requirements/demo.txt | $(VENV)/.synced
	@rm -rf build/demo
	$(BIN)/uv pip install --quiet --require-hashes --no-deps --target build/demo -r $<
	@touch $@

# These pin another boto3, so each lives apart.
$(SAM): requirements/sam.txt
$(CHECKOV): requirements/checkov.txt
$(SAM) $(CHECKOV): | $(VENV)/.synced
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .$(@F)-venv
	$(BIN)/uv pip sync --quiet --python .$(@F)-venv/bin/python --require-hashes requirements/$(@F).txt
	@touch $@

# Wheels for the functions' runtime and processor, on any host; tests and type stubs would not fit.
build/layers/%/.$(ARCHITECTURE): pyproject.toml $(LOCK) | $(VENV)/.synced
	rm -rf build/layers/$*
	$(BIN)/hindsight requirements --layer $* --python $(RUNTIME) --platform $(PLATFORM)
	$(BIN)/uv pip install --quiet --require-hashes --no-deps --only-binary :all: --python-version $(RUNTIME) \
		--python-platform $(PLATFORM) --target build/layers/$*/python -r build/layers/$*.txt
	find build/layers/$*/python \( -name tests -o -name __pycache__ -o -name include \) -type d -prune -exec rm -rf {} +
	find build/layers/$*/python \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' \) -delete
	rm -rf build/layers/$*/python/bin build/layers/$*/python/.lock
	$(if $(filter dependencies,$*),find $(SDK_DATA) -mindepth 1 -maxdepth 1 -type d \
		$(foreach service,$(SDK_SERVICES),! -name $(service)) -exec rm -rf {} +)
	@touch $@

locks: ## Resolve the dependencies anew and write the locks in requirements/
	$(COMPILE) --all-extras --group test --group lint --group setup pyproject.toml -o $(LOCK)
	echo aws-sam-cli | $(COMPILE) - -o requirements/sam.txt
	echo checkov | $(COMPILE) - -o requirements/checkov.txt
	echo islp==0.6.0 | $(COMPILE) --no-deps - -o requirements/demo.txt
	printf 'nannyml==0.13.1\nstatsmodels\n' | $(COMPILE) $(foreach name,$(NEVER_RUN),--no-emit-package $(name)) \
		- -o requirements/nannyml.txt
