"""What is proposed as a name."""

from __future__ import annotations

import pytest

from folkmoot.system import computer


@pytest.mark.parametrize(
    ("account", "proposed"),
    [
        (("Elin Aas", "elin"), "Elin Aas"),
        (("", "elin"), ""),
        (("root", "root"), ""),
        (("\x00", "elin"), ""),
    ],
)
def test_only_a_persons_full_name_is_proposed_to_them(
    monkeypatch: pytest.MonkeyPatch, account: tuple[str, str], proposed: str
) -> None:
    monkeypatch.setattr(computer, "_account", lambda: account)
    assert computer.full_name() == proposed


def test_a_node_that_nobody_can_ask_goes_by_the_login_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(computer, "_account", lambda: ("", "elin"))
    assert computer.person_name() == "elin"
