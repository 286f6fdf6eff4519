"""Where licences are looked for: in a clone, in a wheel, in a bundle."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from folkmoot import resources
from folkmoot.resources import licence_paths


def _write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("words")
    return path


def test_a_clone_shows_its_own_licence_and_those_of_its_resources() -> None:
    names = [path.name for path in licence_paths()]
    assert names[0] == "LICENSE"
    assert {"LICENSE-Inter.txt", "LICENSE-BIP39.txt", "LICENSE.txt"} <= set(names)
    assert len(names) == 5


def test_a_wheel_carries_them_among_its_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "folkmoot" / "_resources"
    own, font = _write(packed / "LICENSE"), _write(packed / "fonts" / "LICENSE-Inter.txt")
    _write(tmp_path / "folkmoot" / "LICENSE")
    monkeypatch.setattr(resources, "_PACKED", packed)
    assert licence_paths() == [own, font]


def test_a_bundle_names_its_libraries_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "folkmoot"
    named, text = _write(tmp_path / "copyright"), _write(tmp_path / "licences" / "GPL-3.0.txt")
    font = _write(package / "_resources" / "fonts" / "LICENSE-Inter.txt")
    monkeypatch.setattr(resources, "_PACKAGE", package)
    monkeypatch.setattr(resources, "_PACKED", package / "_resources")
    assert licence_paths() == [font]  # a file of that name beside a wheel says nothing
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert licence_paths() == [named, text]
