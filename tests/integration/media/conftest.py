"""What holds for all tests of calls between media processes."""

from __future__ import annotations

import pytest

from folkmoot.media import launcher


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still must not end a process that behaves."""
    monkeypatch.setattr(launcher, "BEGIN_S", 60.0)
    monkeypatch.setattr(launcher, "END_S", 30.0)
