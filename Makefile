# The two that matter: `make demo` shows zarrfs at work, `make test` checks all of it.
# Both set up what they need on a bare machine first; a second run does not.

BIN := .venv/bin
STEP = @.ci/step $@
PYTEST = $(BIN)/python -m pytest -q
COVERED_PYTEST = $(BIN)/coverage run -m pytest -q
# Mounts stay one after the other: they share the machine's state, and some are timed.
ON_ALL_CORES = -n auto --dist worksteal
PURE_PARTS = zarrfs/format/*,zarrfs/codecs/*,zarrfs/flat/layout.py,zarrfs/views/*

# Some containers forbid Python to keep compiled modules: a tenth of the time of all tests.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow fuzz fast format lint types layers unit interop mounted coverage docs bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-16s %s\n' "$$target" "$$text"; done

setup: .venv/.dev ## Install what is missing: system packages, .venv, zarrfs, its tools

.venv/.mount .venv/.dev: .venv/.%: pyproject.toml .ci/setup
	@.ci/setup $*

demo: .venv/.mount ## Mount the shipped climate data and look at it
	@$(BIN)/python docs/demo.py

test: .venv/.dev ## All checks below, one after the other; stops at the first that fails
	@$(BIN)/coverage erase
	$(STEP) $(MAKE) --no-print-directory PYTEST='$(COVERED_PYTEST)' format lint types layers unit interop mounted coverage docs

fast: format lint types layers unit interop ## The checks that need neither a mount nor the docs

format: .venv/.dev ## Is everything formatted?
	$(STEP) $(BIN)/ruff format --check --quiet .

lint: .venv/.dev ## Does ruff find faults?
	$(STEP) $(BIN)/ruff check --quiet .

types: .venv/.dev ## Does mypy find faults?
	$(STEP) $(BIN)/mypy

layers: .venv/.dev ## Do imports go downward only?
	$(STEP) $(BIN)/lint-imports --no-logo

unit: .venv/.dev ## Tests in process, under a minute
	$(STEP) $(PYTEST) $(ON_ALL_CORES) -m 'not interop and not mounted and not slow'

interop: .venv/.dev ## Tests against zarr-python, tensorstore and other programs' data
	$(STEP) $(PYTEST) $(ON_ALL_CORES) -m 'interop and not mounted and not slow'

mounted: .venv/.dev ## Tests through real mounts
	$(STEP) $(PYTEST) -m 'mounted and not slow'

coverage: .venv/.dev ## Lines and branches that the tests of this run took
	@$(BIN)/coverage combine --quiet
	$(STEP) $(BIN)/coverage report --fail-under=90
	@.ci/step 'coverage of the pure parts' $(BIN)/coverage report --skip-covered --include='$(PURE_PARTS)' --fail-under=100

docs: .venv/.dev ## Build the documentation and the man page, run its examples
	$(STEP) $(BIN)/sphinx-build -q -n -W --keep-going -b html docs docs/_build/html
	@.ci/step 'docs: man page' $(BIN)/sphinx-build -q -n -W --keep-going -b man docs docs/_build/man
	@.ci/step 'docs: examples' $(BIN)/sphinx-build -q -n -W --keep-going -b doctest docs docs/_build/doctest
	@.ci/step 'docs: changelog' $(BIN)/towncrier build --draft --version next

test-slow: .venv/.dev ## Tests that are slow by nature, and a long search for counter-examples
	$(STEP) $(PYTEST) -m 'slow or (hypothesis and not interop)' --hypothesis-profile=slow -o faulthandler_timeout=1200

fuzz: .venv/.dev ## New random arrays against other implementations, thousands; for the night
	$(STEP) $(PYTEST) $(ON_ALL_CORES) -m 'interop and hypothesis' --hypothesis-profile=fuzz \
		-o faulthandler_timeout=3600

bench: .venv/.dev ## Measure zarrfs against other readers, in interleaved rounds
	@$(BIN)/python -m benchmarks

clean: ## Remove everything built but .venv
	rm -rf build dist docs/_build benchmarks/results .coverage .coverage.* \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
