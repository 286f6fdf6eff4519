"""The tree itself: locks without addresses, versions that agree, resources that are found."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from folkmoot.resources import resource_path

_TOP = Path(__file__).parents[3]
_LOCKS = sorted((_TOP / "requirements").glob("*.txt"))


def _pins(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock.read_text(), re.MULTILINE)
    return dict(found)


def _base_name(requirement: str) -> str:
    name = re.split(r"[\[<>=!~; ]", requirement)[0]
    return name.lower().replace("_", "-")


def test_there_are_five_locks() -> None:
    names = ["bundle.txt", "desktop-dev.txt", "lint.txt", "signaling-bundle.txt", "signaling.txt"]
    assert [lock.name for lock in _LOCKS] == names


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=sha256:)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all(re.match(r"[a-z0-9-]+==[^ ]+ ", block) for block in blocks)
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.name)
def test_a_package_has_one_version_for_each_python(lock: Path) -> None:
    lines = re.findall(r"^([a-z0-9-]+)==\S+(.*)$", lock.read_text(), re.MULTILINE)
    twice = {name for name, _ in lines if [each for each, _ in lines].count(name) > 1}
    for name in twice:
        markers = [rest for each, rest in lines if each == name]
        assert len(set(markers)) == len(markers)
        assert all("python_full_version" in marker for marker in markers)


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((_TOP / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "bundle.txt": [*extras["node"], *extras["desktop"], *extras["bundle"]],
        "desktop-dev.txt": [*extras["node"], *extras["desktop"], *extras["dev"]],
        "signaling-bundle.txt": [*extras["signaling"], *extras["signaling-bundle"]],
        "signaling.txt": extras["signaling"],
    }
    for lock in _LOCKS:
        if lock.name == "lint.txt":  # a tool that runs beside the project
            continue
        names = {_base_name(each) for each in [*project["dependencies"], *wanted[lock.name]]}
        assert names - {"folkmoot"} <= set(_pins(lock))


def test_what_is_frozen_is_what_is_tested() -> None:
    folder = _TOP / "requirements"
    frozen, tested = (
        set(re.findall(r"^([a-z0-9-]+)==(\S+)", (folder / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("bundle", "desktop-dev")
    )
    names = {name for name, _ in frozen} & {name for name, _ in tested}
    assert not [each for each in frozen ^ tested if each[0] in names]


def test_the_frozen_program_has_no_tools_of_ours() -> None:
    assert not _pins(_TOP / "requirements" / "bundle.txt").keys() & {"pytest", "ruff", "mypy"}


def test_the_signaling_lock_has_no_qt() -> None:
    assert not [name for name in _pins(_LOCKS[-1]) if "pyside" in name or "qasync" in name]


def test_a_resource_is_found_by_name() -> None:
    assert resource_path("icons").is_dir()
    assert b"<svg" in resource_path("icons/send-horizontal.svg").read_bytes()


def test_the_list_of_resources_names_what_is_there() -> None:
    """The self-test goes by it: a bundle may have left something out."""
    folder = resource_path("names.txt").parent
    there = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".gitkeep", "names.txt")
    )
    assert (folder / "names.txt").read_text("utf-8").split() == there


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../pyproject.toml", "icons/../../README.md"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a resource"):
        resource_path(name)


def test_a_resource_that_is_missing_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        resource_path("icons/no-such-icon.svg")
