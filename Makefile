# Every target sets itself up: a virtual environment in .venv with the exact versions of requirements.lock,
# made by uv where there is one and by venv and pip where there is none; made again only when either file below changes.

BIN := .venv/bin
READY := .venv/ready
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,\
  $(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
UV ?= $(shell command -v uv 2>/dev/null)

.PHONY: help demo demo-aws test check bench docs lock checkov clean

help:  ## say what there is (the default)
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-8s %s\n", $$1, $$2 }'

demo: $(READY)  ## see a service wake, serve, sleep and wake again
	@$(BIN)/python examples/demo.py

demo-aws: $(READY)  ## see the same on AWS: deploy, verify and destroy in an emulated account
	@$(BIN)/python examples/demo_aws.py

test: $(READY)  ## run all tests, in parallel (ARGS="-k wake -x" goes to pytest)
	@$(BIN)/python -m pytest -n auto $(ARGS)

check: $(READY)  ## lint, format, types, import rules, fresh docs
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/cfn-lint src/wakegate/aws/deploy/template.yaml

bench: $(READY)  ## measure every claim of speed and memory against its peers (ARGS="warm --rounds 5")
	@$(BIN)/python -m bench $(ARGS)

docs: $(READY)  ## write the pages of docs/ that come from code
	@$(BIN)/python docs/generate.py

lock: pyproject.toml  ## choose the newest versions anew (needs uv)
	@echo '# Exact versions of everything that building, testing and checking needs, for uv and for pip. Written by: make lock' > .lock
	@printf 'hatchling\neditables\n' | uv pip compile pyproject.toml - --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-config --default-index https://pypi.org/simple --quiet >> .lock
	@mv .lock requirements.lock

checkov: .checkov/ready  ## run checkov over the CloudFormation template (it needs an environment of its own)
	@.checkov/bin/checkov -f src/wakegate/aws/deploy/template.yaml --framework cloudformation --compact --quiet

clean:  ## remove the environment and what the tools left
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .checkov

.checkov/ready:
	@$(PYTHON) -m venv .checkov
	@.checkov/bin/python -m pip install --quiet --disable-pip-version-check checkov
	@touch $@

# The build tools are locked like the rest, so nothing is fetched that has no hash.
$(READY): pyproject.toml requirements.lock
	@rm -rf .venv
	@echo "setting up .venv, once: about a minute with pip, seconds with uv" >&2
	@if [ -z "$(UV)$(PYTHON)" ]; then echo "Wakegate needs Python 3.11 or newer, or uv; neither was found." >&2; exit 1; fi
ifneq ($(UV),)
	@"$(UV)" venv --quiet --python "$(or $(PYTHON),3.13)" .venv
	@"$(UV)" pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock
	@"$(UV)" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $@
