# The commands of this project; README.md says what each is for.
#   make run [ARGS=…]    make test [ARGS=…]    make test-long [ARGS=…]    make demo
#   make bench [NAME=…]  make signaling [ARGS=…]    make lock
#   make sim [SEEDS=…]   make sim-mutants

PYTHON ?= python3
ARGS   ?=
NAME   ?=
SEEDS  ?= 200

SETUP  := packaging/setup
BIN    := .venv/bin
# The code runs from the clone; what the caller put on the path stays out.
RUN    := PYTHONPATH=app:signaling
PYTEST := $(RUN) QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run test test-long sim sim-mutants bench demo signaling lock setup setup-test

help:
	@sed -n 's/^#   //p' Makefile

setup:
	@$(SETUP)/system-packages.sh $(SETUP)/debian-run.txt
	@$(SETUP)/environment.sh .venv requirements/desktop-dev.txt

setup-test:
	@$(SETUP)/system-packages.sh $(SETUP)/debian-run.txt $(SETUP)/debian-test.txt
	@$(SETUP)/environment.sh .venv requirements/desktop-dev.txt

run: setup
	@$(RUN) $(BIN)/python -m folkmoot $(ARGS)

demo: setup
	@$(RUN) $(BIN)/python packaging/demo.py $(ARGS)

test: setup-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(RUN) $(BIN)/mypy
	$(RUN) $(BIN)/lint-imports
	$(PYTEST) -m "not long" $(ARGS)

test-long: setup-test
	$(PYTEST) -m long $(ARGS)

sim: setup-test
	@SEEDS=$(SEEDS) $(PYTEST) tests/sim/test_chaos.py -m "not long" --timeout 7200 $(ARGS)

sim-mutants: setup-test
	@$(PYTEST) tests/sim/test_chaos.py -m long $(ARGS)

bench: setup-test
	@$(RUN):tests $(BIN)/python -m bench $(NAME)

signaling:
	@$(SETUP)/environment.sh .venv-signaling requirements/signaling.txt
	@PYTHONPATH=app:signaling .venv-signaling/bin/python -m folkmoot_signaling $(ARGS)

# For maintainers: needs uv. The locks carry hashes and no address.
lock:
	uv pip compile pyproject.toml --extra desktop --extra dev $(LOCK_OPTIONS) -o requirements/desktop-dev.txt
	uv pip compile pyproject.toml --extra signaling $(LOCK_OPTIONS) -o requirements/signaling.txt
LOCK_OPTIONS := --universal --generate-hashes --no-header --python-version 3.11 --quiet
