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


def test_there_are_two_locks() -> None:
    assert [lock.name for lock in _LOCKS] == ["desktop-dev.txt", "signaling.txt"]


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=sha256:)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(blocks) == len(_pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((_TOP / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "desktop-dev.txt": [*extras["node"], *extras["desktop"], *extras["dev"]],
        "signaling.txt": extras["signaling"],
    }
    for lock in _LOCKS:
        names = {_base_name(each) for each in [*project["dependencies"], *wanted[lock.name]]}
        assert names - {"folkmoot"} <= set(_pins(lock))


def test_the_signaling_lock_has_no_qt() -> None:
    assert not [name for name in _pins(_LOCKS[1]) if "pyside" in name or "qasync" in name]


def test_a_resource_is_found_by_name() -> None:
    assert resource_path("icons").is_dir()
    assert b"<svg" in resource_path("icons/send-horizontal.svg").read_bytes()


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../pyproject.toml", "icons/../../README.md"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a resource"):
        resource_path(name)


def test_a_resource_that_is_missing_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        resource_path("icons/no-such-icon.svg")
