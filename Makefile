# make demo      set up, then the argon study with its table and report
# make test      set up, then the tests that CI runs
# make test-all  set up, then every test, and docs/plugin-matrix.md from what they measured
# make setup     only .venv/ with the package and the plugin in it
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find lmp_thermo plugin templates inputs build_support -type f \
	-not -name '*.pyc' -not -path 'lmp_thermo/lib/*' 2>/dev/null) CMakeLists.txt pyproject.toml
export PYTHONPATH :=
# the programs of the environment: lmp, mpirun, packmol
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test test-all setup lint clean

setup: $(VENV)/package

# The stack comes first: the plugin is built against it, without an isolated copy of torch.
$(VENV)/stack: pyproject.toml build_support/stack.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than 3.11; run make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python build_support/stack.py > $(VENV)/stack.txt
	$(BIN)/python -m pip install --quiet -r $(VENV)/stack.txt \
		"scikit-build-core>=1.0,<2" "cmake>=3.25" "ninja>=1.11"
	touch $@

$(VENV)/package: $(VENV)/stack $(SOURCES)
	$(BIN)/python -m pip install --quiet --no-build-isolation ".[dev]"
	touch $@

demo: setup
	$(BIN)/lmp-thermo run inputs/argon.yaml

test: setup
	$(BIN)/pytest -m "not slow"

test-all: setup
	$(BIN)/pytest --junitxml=build/test-all.xml
	$(BIN)/python -m tests.plugin.matrix build/test-all.xml > docs/plugin-matrix.md

lint: setup
	$(BIN)/ruff check lmp_thermo tests benchmarks build_support
	$(BIN)/ruff format --check lmp_thermo tests benchmarks build_support
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf build $(VENV)
