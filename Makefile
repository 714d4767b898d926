# Six commands. Each sets up the virtual environment it needs, once.
#
#   make demo                     watch a model take work off people, on real data
#   make test                     the whole suite, with coverage
#   make check                    lint, formatting, types, import contracts
#   make bench                    speed and full-size statistics
#   make build                    wheel and sdist in dist/
#   make clean                    remove all of that
#
#   make test ARGS="-k pool -x"   a part of the suite (coverage is not measured then)
#   make test VERSIONS=lowest     against the oldest dependencies that we promise to support (on Python 3.11)
#   make demo PYTHON=python3.12   with another interpreter, where no environment exists yet

.PHONY: demo test check bench build clean
.DELETE_ON_ERROR:

PYTHON ?= python3

ifeq ($(VERSIONS),lowest)
  VENV := .venv-lowest
  TOOLS := test
  BOUNDS := constraints/lowest.txt
  CONSTRAIN := --constraint $(BOUNDS)
  # Old releases deprecate things among themselves; their deprecations are nobody's news.
  WARNINGS := -W ignore::DeprecationWarning
else ifeq ($(VERSIONS),)
  VENV := .venv
  TOOLS := dev
else
  $(error VERSIONS=$(VERSIONS) is unknown. Leave it out, or say VERSIONS=lowest)
endif

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq $(CONSTRAIN)
COVERAGE := $(if $(ARGS),,--cov --cov-report=term)

# On problems of this size two BLAS threads wait for each other most of the time.
test bench: export OMP_NUM_THREADS := 1
test bench: export OPENBLAS_NUM_THREADS := 1

demo: $(VENV)/.installed
	@$(BIN)/bootstrap-labels demo $(ARGS)

test: $(VENV)/.tools
	@$(BIN)/python -m pytest $(WARNINGS) $(COVERAGE) $(ARGS)

check: $(VENV)/.tools
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.tools
	@$(BIN)/python -m pytest -q tests/benchmarks -o python_files='bench_*.py' $(WARNINGS) $(ARGS)

build: $(VENV)/.tools
	@$(BIN)/python -m hatchling build

clean:
	@rm -rf .venv .venv-lowest build dist bootstrap-labels-demo .coverage .hypothesis
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is older or missing."; \
	  echo "Say which one to take: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV): once, a minute or two."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made (Debian, Ubuntu: apt install python3-venv)."; exit 1; }

$(VENV)/.installed: pyproject.toml $(BOUNDS) | $(BIN)/python
	@$(PIP) --editable ".[plots]"
	@touch $@

# pip learned --group in 25.1; Python 3.11 brings an older one.
$(VENV)/.tools: $(VENV)/.installed
	@$(PIP) --upgrade "pip>=25.1"
	@$(PIP) --editable ".[plots]" --group $(TOOLS)
	@touch $@
