"""What every test of the window shares: one themed application, drawn into memory."""

from __future__ import annotations

import os

import pytest
from PySide6.QtWidgets import QApplication

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from folkmoot.ui.theme.theme import Mode, Theme


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Arguments of the application object that pytest-qt makes."""
    return ["folkmoot-tests"]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """A light theme on the shared application."""
    return Theme(qapp, Mode.LIGHT)
