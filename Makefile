# For a newcomer: `make demo` and `make test`. `make help` lists the rest.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# python3 where it is new enough, else the newest that is on the PATH; PYTHON=/path/to/python names another one.
FIND_PYTHON = for p in python3 python3.15 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && echo "$$p" && break; done
PYTHON ?= $(shell $(FIND_PYTHON))

.DEFAULT_GOAL := help
.PHONY: help demo test coverage soak check format bench picture lock clean

help:
	@echo 'make demo     three real runs on an embedded pair: clean, broken, partly mended; a repair, its undo, one more'
	@echo 'make test     all tests but the long ones. ARGS="tests/unit -k sketch" picks some'
	@echo 'make coverage the same with coverage, of which 90 % are required; takes twice as long'
	@echo 'make check    formatting, lint, types, layers: what CI requires beside the tests'
	@echo 'make format   format the code and mend what can be mended'
	@echo 'make soak     the long tests (marker soak)'
	@echo 'make bench    speed and memory on 1,000,000 records; ARGS="--rows 100000" for fewer'
	@echo 'make picture  the picture of the README, from the report of the last demo; needs Chromium'
	@echo 'make lock     resolve requirements.lock anew; needs the network'
	@echo 'make clean    stop and remove the embedded pair in .twinstore, and everything that was built here'

demo: $(STAMP)
	@$(BIN)/twinstore demo $(ARGS)

# One worker more than cores: a test waits for a server or a child of its own now and then. Each begins with tests that
# stand beside each other, so that it seldom makes what they share, and takes some from the others when it is done.
WORKERS = -n $$(( $$($(BIN)/python -c 'import os; print(min(os.cpu_count() or 1, 7))') + 1 )) --dist worksteal
# Compiled once, not by each of them and by each command that they run.
test coverage soak: export PYTHONDONTWRITEBYTECODE :=

test: $(STAMP)
	$(BIN)/python -m pytest $(WORKERS) -m 'not soak' $(ARGS)

# Tracing makes the tests take twice as long, so that it has a recipe of its own.
coverage: $(STAMP)
	$(BIN)/python -m pytest $(WORKERS) -m 'not soak' --cov --cov-report=term $(ARGS)

soak: $(STAMP)
	$(BIN)/python -m pytest -m soak $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	@$(BIN)/twinstore bench $(ARGS)

picture:
	docs/images/make.sh

lock: $(STAMP)
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock

# The servers are stopped first: PostgreSQL does not like to lose its folder. A TWINSTORE_HOME elsewhere is left alone.
clean:
	@if [ -d .twinstore ] && [ -x $(BIN)/twinstore ]; then TWINSTORE_HOME=.twinstore $(BIN)/twinstore stack down --remove; fi
	rm -rf $(VENV) .twinstore build dist htmlcov *.egg-info .coverage .coverage.* \
		.pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Some systems ship Python without ensurepip: then the pip that is there puts one into the environment.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
$(STAMP): requirements.lock pyproject.toml
	@'$(PYTHON)' $(NEW_ENOUGH) 2> /dev/null || \
		{ echo 'Python 3.11 or newer is needed. Install it, or set PYTHON=/path/to/python3.11.' >&2; exit 1; }
	@$(BIN)/python $(NEW_ENOUGH) 2> /dev/null || rm -rf $(VENV)
	@test -d $(VENV) || '$(PYTHON)' -m venv $(VENV) > /dev/null 2>&1 || '$(PYTHON)' -m venv --without-pip $(VENV)
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || '$(PYTHON)' -m pip --python $(BIN)/python install --quiet pip
	@echo 'Installing into $(VENV); the first time this takes some minutes.'
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
