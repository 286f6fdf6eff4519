"""The window of the connection doctor: what is tried, what answers, and that nothing jumps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from fakes.connections import FakeDoctor, FakeServers
from folkmoot.domain.address import parse_address
from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.services.events import ServersChanged
from folkmoot.services.values import DoctorReport, LinkState, Outcome, Peer, PeerReport, Way
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.connections import desk as desk_module
from folkmoot.ui.connections.desk import Connections
from folkmoot.ui.connections.rows import DeviceRow
from folkmoot.ui.connections.trying import TryAddress
from folkmoot.ui.connections.window import DoctorWindow
from folkmoot.ui.model import WindowModel
from folkmoot.ui.theme.theme import Theme
from ui.call_gallery import Straight
from ui.connection_samples import (
    NOW_MS,
    crowd,
    device,
    missing,
    near,
    over_server,
    peer,
    report,
    tried,
    usual,
)
from ui.samples import person
from ui.window import words_in


@dataclass
class Surgery:
    """A doctor's window over a fake, in one thread."""

    qtbot: QtBot
    doctor: FakeDoctor
    servers: FakeServers
    model: WindowModel
    connections: Connections
    dialled: list[str]

    @property
    def window(self) -> DoctorWindow:
        assert self.connections.window is not None
        return self.connections.window

    @property
    def names(self) -> list[str]:
        return [row.state.name for row in self.window.rows if not row.isHidden()]

    def row(self, number: int) -> DeviceRow:
        row = self.window.row(device(number))
        assert row is not None
        return row

    def change(self, found: DoctorReport) -> None:
        """Something is so by itself: the node tells it, the window reads."""
        read = self.doctor.reported
        self.doctor.found = found
        self.model.take_peer(peer(1, Way.LAN))
        self.qtbot.waitUntil(lambda: self.doctor.reported > read)


@pytest.fixture
def surgery(qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surgery]:
    """Open, with one computer of each kind."""
    monkeypatch.setattr(desk_module, "FOLLOW_MS", 10)
    model, shell = WindowModel(), QWidget()
    shell.resize(900, 700)
    qtbot.addWidget(shell)

    def publish(event: object) -> None:
        assert isinstance(event, ServersChanged)
        model.take_servers(event.servers)

    doctor, servers = FakeDoctor(usual()), FakeServers(publish)
    dialled: list[str] = []

    async def dial(address: str) -> Peer:
        dialled.append(address)
        parse_address(address)
        if address != "10.0.0.1:7000":
            raise UserError("unreachable", f"Nobody of your teams answers at {address}.")
        return peer(1, Way.LAN)

    peers = SimpleNamespace(dial=dial)
    bridge = cast("Bridge", Straight(SimpleNamespace(doctor=doctor, servers=servers, peers=peers)))
    connections = Connections(shell, theme, model, bridge)
    connections.open_doctor()
    made = Surgery(qtbot, doctor, servers, model, connections, dialled)
    qtbot.waitUntil(made.window.isVisible)
    yield made
    connections.close()


def press(pressed: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key where the focus is."""
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, pressed, held)


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_sentence_stands_first_then_this_computer_then_who_is_not_reached(
    surgery: Surgery,
) -> None:
    said = words_in(surgery.window)
    assert "2 of 3 computers of your teams are reached." in said
    assert "10.0.0.7:7000, [fe80::12]:7000" in words_in(surgery.window.computer)
    assert "tun0 (VPN): 10.8.0.2" in words_in(surgery.window.computer)
    assert "talk.example.org: Connected" in words_in(surgery.window.computer)
    assert surgery.names == ["Yuki Kato", "Mara Oduya", "Tomas Lind"]
    assert surgery.window.accessibleDescription() == surgery.doctor.found.summary


def test_a_row_opens_to_what_was_tried_what_answered_and_what_to_do(surgery: Surgery) -> None:
    row = surgery.row(2)
    assert row.details is None
    click(row.head)
    assert row.details is not None
    assert [line.state.title for line in row.details.ways.lines] == [
        "On this network (mDNS)",
        "A remembered address",
        "Directly, over the internet",
        "Over talk.example.org",
    ]
    said = words_in(row.details)
    for words in ("203.0.113.9:7000", "lets nobody in at this port", "5.0 s", "Allow Folkmoot in"):
        assert words in said
    spoken = row.details.ways.lines[1].accessibleName()
    assert spoken.startswith("A remembered address, 203.0.113.9:7000, The computer is there")
    click(row.head)
    assert not row.details.isVisible()


def test_the_rows_are_walked_and_opened_by_keyboard(surgery: Surgery) -> None:
    first, second, third = surgery.window.rows
    first.head.setFocus()
    press(Qt.Key.Key_Down)
    assert second.head.hasFocus()
    press(Qt.Key.Key_Right)
    assert second.details is not None
    assert second.details.isVisible()
    assert second.head.accessibleDescription() == "Details are shown"
    press(Qt.Key.Key_Left)
    assert not second.details.isVisible()
    press(Qt.Key.Key_Return)
    assert second.details.isVisible()
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Down)
    assert third.head.hasFocus()


def test_a_change_by_itself_touches_one_row_and_moves_none(
    surgery: Surgery, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = surgery.window.rows
    click(surgery.row(2).head)
    shown: list[DeviceRow] = []
    really = DeviceRow.show_state

    def spy(row: DeviceRow, state: Any) -> None:
        shown.append(row)
        really(row, state)

    monkeypatch.setattr(DeviceRow, "show_state", spy)
    surgery.change(report(near(1), over_server(2), near(3)))
    assert surgery.window.rows == before
    assert shown == [surgery.row(3)]
    assert (
        surgery.row(3).head.accessibleName().startswith("Yuki Kato, yuki-laptop, On this network")
    )
    open_ways = surgery.row(2).details
    assert open_ways is not None
    assert open_ways.isVisible()


def test_who_is_new_goes_to_the_end_and_who_is_gone_leaves_the_keyboard_to_the_next(
    surgery: Surgery,
) -> None:
    surgery.row(2).head.setFocus()
    surgery.change(report(missing(3), near(1), missing(0)))
    assert surgery.names == ["Yuki Kato", "Tomas Lind", "Elin Aas"]
    assert surgery.row(1).head.hasFocus()


def test_where_the_last_row_goes_the_keyboard_goes_to_the_one_above(surgery: Surgery) -> None:
    surgery.row(1).head.setFocus()
    surgery.change(report(over_server(2), missing(3)))
    assert surgery.row(2).head.hasFocus()


def test_changes_of_one_moment_are_read_together(surgery: Surgery) -> None:
    read = surgery.doctor.reported
    for _ in range(50):
        surgery.model.take_peer(peer(1, Way.LAN))
    surgery.qtbot.waitUntil(lambda: surgery.doctor.reported > read)
    QTest.qWait(50)
    assert surgery.doctor.reported == read + 1


def test_a_closed_window_asks_for_nothing(surgery: Surgery) -> None:
    surgery.window.setFocus()
    press(Qt.Key.Key_Escape)
    assert not surgery.window.isVisible()
    read = surgery.doctor.reported
    surgery.model.take_peer(peer(1, Way.LAN))
    QTest.qWait(50)
    assert surgery.doctor.reported == read


def test_a_check_sorts_anew_and_says_when_it_was(surgery: Surgery) -> None:
    surgery.doctor.found = report(near(3), missing(1), over_server(2), summary="Checked.")
    surgery.window.check.setFocus()
    press(Qt.Key.Key_Space)
    assert surgery.doctor.checked == 1
    assert surgery.names == ["Tomas Lind", "Mara Oduya", "Yuki Kato"]
    assert "Checked." in words_in(surgery.window)
    assert surgery.window.when.text().startswith("As of ")
    press(Qt.Key.Key_F5)
    assert surgery.doctor.checked == 2


def test_a_check_shows_that_it_runs_and_cannot_be_begun_twice(surgery: Surgery) -> None:
    window = surgery.window
    place = window.copy.geometry(), window.check.geometry(), window.computer.y()
    window.check.setFocus()
    window.begin_check()
    assert QApplication.focusWidget() is window, "no other button gets the keyboard"
    assert window.progress.runs
    assert not window.check.isEnabled()
    assert window.check.accessibleName() == "Checking…"
    press(Qt.Key.Key_F5)
    assert surgery.doctor.checked == 0
    surgery.qtbot.waitUntil(lambda: window.progress.value() > 0)
    now = window.copy.geometry(), window.check.geometry(), window.computer.y()
    assert now == place
    window.end_check()
    assert window.check.isEnabled()
    assert window.progress.value() == 0
    assert window.check.hasFocus()


def test_a_check_that_fails_says_why_and_can_be_tried_again(surgery: Surgery) -> None:
    surgery.doctor.fault = EnvironmentFault("away", "The node does not answer.")
    click(surgery.window.check)
    assert "The node does not answer." in words_in(surgery.window.problem)
    assert surgery.window.check.isEnabled()
    assert surgery.names
    surgery.doctor.fault = None
    click(surgery.window.check)
    assert not surgery.window.problem.isVisible()


def test_the_report_is_copied_whole(surgery: Surgery) -> None:
    click(surgery.window.copy)
    text = QGuiApplication.clipboard().text()
    for words in ("203.0.113.9:7000", "wss://talk.example.org", "10.8.0.2"):
        assert words in text
    assert "Yuki" not in text  # it can be shown to anybody who helps
    assert surgery.window.copy.text() == "Copied"
    QGuiApplication.clipboard().clear()


def test_two_hundred_computers_are_there_at_once_and_found_by_name(surgery: Surgery) -> None:
    began = time.thread_time()
    surgery.doctor.found = report(*crowd())
    click(surgery.window.check)
    QApplication.processEvents()
    took_s = time.thread_time() - began
    assert took_s < 1.5
    assert len(surgery.window.rows) == 203 - 3
    assert surgery.window.search.isVisible()
    QTest.keyClick(surgery.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    surgery.qtbot.waitUntil(surgery.window.search.hasFocus)
    QTest.keyClicks(surgery.window.search, "person 137")
    surgery.qtbot.waitUntil(lambda: surgery.names == ["Person 137"])
    QTest.keyClicks(surgery.window.search, "x")
    surgery.qtbot.waitUntil(surgery.window.nobody.isVisible)
    press(Qt.Key.Key_Escape)
    surgery.qtbot.waitUntil(lambda: len(surgery.names) == 200)
    assert surgery.window.isVisible()


def test_a_person_is_shown_open_and_in_sight_among_many(surgery: Surgery) -> None:
    surgery.doctor.found = report(*crowd())
    surgery.connections.open_doctor(person(150))
    row = surgery.row(150)
    surgery.qtbot.waitUntil(lambda: row.details is not None and row.details.isVisible())
    surgery.qtbot.waitUntil(lambda: not row.head.visibleRegion().isEmpty())
    assert row.head.hasFocus()


def test_someone_with_two_computers_has_two_rows_that_open_together(surgery: Surgery) -> None:
    who = person(2)
    surgery.doctor.found = report(
        near(2, computer="desk"), missing(7, who=who, name="Mara Oduya", computer="laptop")
    )
    surgery.connections.open_doctor(who)
    assert [row.head.isChecked() for row in surgery.window.rows] == [True, True]


def test_ways_change_in_place_while_they_are_read(surgery: Surgery) -> None:
    row = surgery.row(3)
    click(row.head)
    assert row.details is not None
    lines = row.details.ways.lines
    found: PeerReport = missing(3)
    better = replace(found.ways[2], answer="It came to the server just now.")
    changed = replace(found, ways=(*found.ways[:2], better), state=LinkState.CONNECTING)
    surgery.change(report(near(1), over_server(2), changed))
    assert row.details.ways.lines == lines
    assert "It came to the server just now." in words_in(row.details)
    assert "Looking…" in row.head.accessibleName()


@pytest.mark.parametrize("width", [400, 480, 560, 780, 1400])
def test_nothing_is_wider_than_the_window(surgery: Surgery, width: int) -> None:
    surgery.doctor.found = report(*crowd(12), over_server(200), missing(201))
    surgery.window.resize(width, 600)
    click(surgery.window.check)
    for row in surgery.window.rows:
        row.head.setChecked(True)
    QTest.qWait(20)
    area = surgery.window._area
    inside = area.widget()
    assert inside is not None
    assert inside.width() <= area.viewport().width()


def test_words_of_others_stay_words(surgery: Surgery) -> None:
    name = "<b>Mara</b> & co" + "x" * 60
    surgery.doctor.found = report(near(1, name=name, computer="<img src='file:///etc/passwd'>"))
    click(surgery.window.check)
    (row,) = surgery.window.rows
    assert name in row.head.accessibleName()
    click(row.head)


def test_the_servers_open_over_the_doctor_and_follow_it(surgery: Surgery) -> None:
    click(surgery.window.computer.servers)
    dialog = surgery.connections.dialog
    assert dialog is not None
    assert dialog.parentWidget() is surgery.window
    dialog.reject()
    assert surgery.connections.dialog is None
    assert NOW_MS


def test_what_would_help_most_stands_over_the_ways_and_not_twice(surgery: Surgery) -> None:
    row = surgery.row(3)
    click(row.head)
    assert row.details is not None
    assert words_in(row.details).count("Wake that computer and open Folkmoot there.") == 2
    typed = row.details.ways.lines[1]
    assert typed.state.title == "An address that was typed"
    assert typed.state.advice == ""


def test_addresses_of_nobody_known_stand_by_themselves(surgery: Surgery) -> None:
    strange = tried(
        *("typed", Outcome.FAILED, "not_folkmoot", "Another program answers at this address."),
        address="10.0.0.99:80",
    )
    surgery.change(replace(usual(), others=(strange,)))
    (line,) = surgery.window.others.lines
    surgery.qtbot.waitUntil(lambda: "Another program answers" in words_in(line))
    surgery.change(usual())
    assert surgery.window.others.lines == []


def open_field(surgery: Surgery) -> TryAddress:
    """The field for an address that somebody knows."""
    click(surgery.window.computer.try_button)
    trying = surgery.window.computer.trying
    surgery.qtbot.waitUntil(trying.address.hasFocus)
    return trying


def test_a_typed_address_is_tried_and_what_came_of_it_is_said(surgery: Surgery) -> None:
    trying = open_field(surgery)
    assert not trying.act.isEnabled()
    QTest.keyClicks(trying.address, "10.0.0.9:7000")
    press(Qt.Key.Key_Return)
    assert trying.words.text() == "Nobody of your teams answers at 10.0.0.9:7000."
    assert trying.act.isEnabled()
    trying.address.selectAll()
    QTest.keyClicks(trying.address, "10.0.0.1:7000")
    assert "Nobody" not in trying.words.text()
    click(trying.act)
    assert trying.words.text() == "Tomas Lind is reached there."
    assert surgery.dialled == ["10.0.0.9:7000", "10.0.0.1:7000"]
    trying.address.selectAll()
    QTest.keyClicks(trying.address, "nonsense")
    QTest.keyClick(trying.address, Qt.Key.Key_Return)
    assert "is not an address" in trying.words.text()
    press(Qt.Key.Key_Escape)
    assert not trying.isVisible()
    assert surgery.window.isVisible()


def test_a_range_is_looked_through_while_one_watches(surgery: Surgery) -> None:
    trying = open_field(surgery)
    QTest.keyClicks(trying.address, "10.0.0.0/24:7000")
    press(Qt.Key.Key_Return)
    assert surgery.doctor.scanned == ["10.0.0.0/24:7000"]
    assert trying.scans.text().startswith("10.0.0.0/24:7000: 0 of 254 looked through")
    (begun,) = surgery.doctor.found.scans
    done = replace(begun, tried=254, over=True, found=("10.0.0.7:7000",))
    surgery.doctor.found = replace(surgery.doctor.found, scans=(done,))
    over = "10.0.0.0/24:7000: 254 addresses looked through, found: 10.0.0.7:7000"
    surgery.qtbot.waitUntil(lambda: trying.scans.text() == over)
    read = surgery.doctor.reported
    QTest.qWait(60)
    assert surgery.doctor.reported == read


def test_who_is_reached_needs_no_advice_over_all(surgery: Surgery) -> None:
    surgery.change(report(replace(over_server(2), advice="Allow Folkmoot in the firewall there.")))
    row = surgery.row(2)
    click(row.head)
    assert row.details is not None
    assert row.state.advice == ""
    assert "Allow Folkmoot in the firewall of that computer." in words_in(row.details)


def test_in_a_narrow_window_address_and_time_have_a_line_of_their_own(surgery: Surgery) -> None:
    row = surgery.row(2)
    click(row.head)
    assert row.details is not None
    details = row.details
    assert "203.0.113.9:7000 · 5.0 s" not in words_in(details)
    surgery.window.resize(420, 640)
    surgery.qtbot.waitUntil(lambda: "203.0.113.9:7000 · 5.0 s" in words_in(details))
