# The one front door. Needs git, make and Python 3.13; everything else is fetched into this folder, at pinned versions.
PYTHON ?= python3.13
TOOLS := .tools
UV := $(TOOLS)/uv/bin/uv
UV_VERSION := 0.13.9
SAM := $(TOOLS)/sam/bin/sam
BIN := .venv/bin
CHECKS := $(TOOLS)/checks/bin
REGION ?=
STACK ?= renderbell
# The answers to `make deploy`'s questions. Git ignores it: they are yours.
ANSWERS := samconfig.$(STACK).toml
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0
# SAM looks for python3.13 on the PATH, and its own environment has one, with pip.
export PATH := $(CURDIR)/$(TOOLS)/sam/bin:$(PATH)

.PHONY: help setup local test test-quick soak lint audit format bench build deploy lock clean
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: .venv/ready $(TOOLS)/sam/ready $(TOOLS)/ministack/ready ## Fetch everything the other commands need

local: setup ## Run everything on this machine and watch videos complete
	$(BIN)/renderbell local

test: setup $(TOOLS)/node/ready ## Run all tests, two files at a time, with a coverage report
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --cov --cov-report=term

test-quick: .venv/ready ## Run the tests that need no stack
	$(BIN)/python -m pytest -q tests/unit tests/providers

soak: setup ## Search for lost and false rings, plant bugs, kill every function before each single statement (over an hour)
	RENDERBELL_SOAK=1 RENDERBELL_MODEL_RUNS=2500 $(BIN)/python -m pytest -q --timeout 1800 tests/model
	RENDERBELL_KILL_STEP=1 $(BIN)/python -m pytest -q --timeout 7200 tests/integration/test_killed_anywhere.py

lint: .venv/ready $(TOOLS)/sam/ready $(TOOLS)/checks/ready ## Check style, types, imports, the template and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy layers/core cli functions tests bench
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml
	AWS_DEFAULT_REGION=$(or $(REGION),us-east-1) $(SAM) validate --lint --template template.yaml
	$(CHECKS)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(CHECKS)/zizmor --quiet --offline --no-progress .github/workflows
	$(CHECKS)/checkov --config-file .checkov.yaml
	$(CHECKS)/bandit --quiet --configfile .bandit.yaml --recursive layers functions cli

# With --strict a package that the service does not know is an error: an audit that saw nothing is none.
audit: $(TOOLS)/checks/ready ## Ask PyPI whether a dependency is known to be vulnerable (needs the network)
	@for file in requirements/*.txt layers/*/requirements.txt; do \
		$(CHECKS)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement $$file || bad="$$bad $$file"; \
	done; test -z "$$bad" || { echo "make audit: vulnerable, or not to be audited from here (see above):$$bad" >&2; exit 1; }

format: .venv/ready ## Put the code into its usual form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup build ## Measure cold starts, layers and a month's cost
	$(BIN)/python -m bench.cold_start
	$(PYTHON) bench/layer_size.py .aws-sam/build/*Layer
	$(BIN)/python -m bench.cost

build: $(TOOLS)/sam/ready $(TOOLS)/sbom/ready ## Build the template for AWS (arm64), print the layer's size, list what the layers carry
	$(SAM) build
	@$(PYTHON) bench/layer_size.py .aws-sam/build/*Layer
	@cat layers/core/requirements.txt layers/api/requirements.txt | PYTHONWARNINGS=ignore $(TOOLS)/sbom/bin/cyclonedx-py \
		requirements - --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file .aws-sam/sbom.json
	@echo "What the layers carry (CycloneDX): .aws-sam/sbom.json"

# Asks once, and again when its answers were not saved. To be asked anew, remove samconfig.$(STACK).toml.
deploy: .venv/ready build ## Deploy to your AWS account, asking the first time for what it needs
	@test -e $(ANSWERS) || cp samconfig.toml $(ANSWERS)
	$(SAM) deploy --config-file $(ANSWERS) --stack-name $(STACK) $(if $(REGION),--region $(REGION)) \
		$$(grep -q parameter_overrides $(ANSWERS) || echo --guided)

$(UV):
	$(PYTHON) -m pip install --quiet --target $(TOOLS)/uv uv==$(UV_VERSION)

.venv/ready: requirements/dev.txt pyproject.toml | $(UV)
	$(UV) venv --quiet --clear --no-python-downloads --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/build.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(TOOLS)/%/ready: requirements/%.txt | $(UV)
	$(PYTHON) -m venv --clear $(TOOLS)/$*
	$(UV) pip install --quiet --python $(TOOLS)/$*/bin/python --require-hashes --requirement $<
	touch $@

COMPILE = $(UV) pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.13 --no-header
RUNTIME_BRINGS := boto3 botocore jmespath python-dateutil s3transfer six urllib3

lock: | $(UV) ## Resolve all versions anew
	$(COMPILE) pyproject.toml --extra cli --group dev --output-file requirements/dev.txt
	for name in build sam ministack node checks sbom; do $(COMPILE) requirements/$$name.in --output-file requirements/$$name.txt; done
	$(COMPILE) $(addprefix --no-emit-package ,$(RUNTIME_BRINGS)) layers/core/requirements.in \
		--output-file layers/core/requirements.txt
	$(COMPILE) --constraint layers/core/requirements.txt layers/api/requirements.in \
		--output-file layers/api/requirements.txt
	$(MAKE) .venv/ready
	$(BIN)/python layers/core/describe.py

clean: ## Remove everything that was fetched or built
	rm -rf .venv $(TOOLS) .aws-sam .renderbell .hypothesis .mypy_cache .ruff_cache .pytest_cache .coverage
