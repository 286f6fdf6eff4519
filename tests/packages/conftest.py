"""Clean systems for the tests of packages; `make test-packages` runs them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packages.artefacts import find_package
from packages.debian import Chroot, Systems, is_alone

_TOP = Path(__file__).parents[2]
_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of them is a test of packages, and of a person who waits."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker("package")
            item.add_marker(pytest.mark.blocks_loop("a person waits"))


@pytest.fixture(scope="session")
def systems() -> Iterator[Systems]:
    """The folder of the clean systems."""
    if not is_alone():
        pytest.fail("run these by `make test-packages`: they need mounts of their own", False)
    made = Systems(_TOP / "build" / "packages")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def base(systems: Systems) -> Path:
    """The bare system."""
    return systems.base()


@pytest.fixture(scope="session")
def deb() -> Path:
    """The package of the program."""
    return find_package("folkmoot")


@pytest.fixture(scope="session")
def installed(systems: Systems, base: Path, deb: Path) -> tuple[Path, ...]:
    """Layers of a system on which the program is installed, upper ones first; only to be read."""
    made = systems.make("installed", base)
    made.install(deb)
    made.unmount()
    return made.layers


@pytest.fixture
def make_system(
    request: pytest.FixtureRequest, systems: Systems
) -> Iterator[Callable[..., Chroot]]:
    """Make systems over layers, for the length of a test."""
    made: list[Chroot] = []
    numbers = itertools.count()

    def make(*layers: Path) -> Chroot:
        name = request.node.name.replace("[", "-").replace("]", "")
        made.append(systems.make(f"{name}-{next(numbers)}", *layers))
        return made[-1]

    yield make
    for one in made:
        one.unmount()


@pytest.fixture
def system(make_system: Callable[..., Chroot], installed: tuple[Path, ...]) -> Chroot:
    """A system on which the program is installed."""
    return make_system(*installed)
