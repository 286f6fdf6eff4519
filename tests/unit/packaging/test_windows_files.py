"""What the installer for Windows takes away again."""

from __future__ import annotations

from pathlib import Path

import pytest
from windows.make_installer import numbers, taking_away


def test_files_go_before_the_folders_that_hold_them(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c d.txt").touch()
    (tmp_path / "a/$x").touch()
    (tmp_path / "program.exe").touch()

    assert taking_away(tmp_path).splitlines() == [
        'Delete "$INSTDIR\\a\\b\\c d.txt"',
        'Delete "$INSTDIR\\a\\$$x"',
        'RMDir "$INSTDIR\\a\\b"',
        'RMDir "$INSTDIR\\a"',
        'Delete "$INSTDIR\\program.exe"',
    ]


@pytest.mark.parametrize(
    ("version", "told"), [("1.2.3", "1.2.3.0"), ("0.1.0rc2", "0.1.0.0"), ("2.0", "2.0.0.0")]
)
def test_windows_wants_four_numbers(version: str, told: str) -> None:
    assert numbers(version) == told
