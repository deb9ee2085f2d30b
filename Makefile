# make demo   the demo programmes, from raw data to reports, on a fresh machine
# make test   the tests, on a fresh machine
# make lint   ruff, snakefmt, mypy
# make bench  benchmarks beside the peers a user would pick instead
# make bench-registers   a register extract of 1,000,000 persons, beside pandas
# make validate   coverage of every interval by simulation: docs/validation.md
# make lock   the lock file anew from pyproject.toml (needs uv)

PYTHON ?= python3
CORES ?= 2
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/ready

.PHONY: demo test lint bench bench-registers validate lock clean

demo: $(READY)
	@$(BIN)/evaluate demo --cores $(CORES)

test: $(READY)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy

bench: $(READY)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/run.py

bench-registers: $(READY)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/registers.py

validate: $(READY)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/validate.py

lock:
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements.lock

$(READY): requirements.lock pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"evaluate needs Python 3.11 or later; name one with make PYTHON=python3.12 ...")'
	@echo "Making $(VENV) (a few minutes, once) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		--require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--no-build-isolation --no-deps --editable .
	@touch $(READY)

clean:
	rm -rf build results logs .snakemake
