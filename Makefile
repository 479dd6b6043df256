PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes that share the tests, by file; each with one thread in linear algebra.
WORKERS ?= 2

.PHONY: install run test validation lint clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable ".[test]"
	touch $(STAMP)

# The main job: Fe+ over the pole on 18 June 2023, from the data that come with the package.
run: install
	$(BIN)/siderion run --date 2023-06-18 -o runs/2023-06-18 --overwrite

test: install lint
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The same checks at full size: minutes instead of seconds.
validation: install
	SIDERION_FULL_VALIDATION=1 $(BIN)/python -m pytest validation

clean:
	rm -rf runs build dist .pytest_cache .mypy_cache .ruff_cache
