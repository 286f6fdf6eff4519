"""Links from outside in the window: they show something, and join nothing without a press."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.protocol.codec import pack
from folkmoot.protocol.invites import InviteLink, write_link
from folkmoot.storage.first_page import read_first_page
from folkmoot.ui.application import Application
from folkmoot.ui.dialogs import invited
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.dialogs.invited import InvitedDialog
from folkmoot.ui.start.view import StartView
from ui.town import Person
from ui.window import Open, Window, words_in

NEWER = "folkmoot://join/" + urlsafe_b64encode(
    pack((2, bytes(32), bytes(32), bytes(32), "Harbour Studio", ()))
).rstrip(b"=").decode("ascii")


def link_to(name: str, *addresses: str) -> str:
    """An invitation that nobody made."""
    team = ConversationId(name.encode()[:32].ljust(32, b"."))
    return write_link(InviteLink(team, EntryId(bytes(32)), bytes(32), name, addresses))


def forms(window: Window) -> list[Form]:
    """The dialogs that are up."""
    return [form for form in window.shell.findChildren(Form) if form.isVisible()]


def form_of(window: Window, words: str) -> Form:
    """The one dialog, once it says these words."""
    window.until(lambda: [words in words_in(form) for form in forms(window)] == [True])
    return forms(window)[0]


def teams(person: Person) -> list[str]:
    return sorted(team.name for team in person.look(lambda node: node.teams.list()))


def test_on_the_start_screen_an_invitation_is_shown_and_joined_only_with_a_press(
    open_window: Open, elin: Person, mara: Person
) -> None:
    link = mara.invite(mara.found("Harbour Studio"))
    window = open_window(elin)
    window.session.open_link(link)
    welcome = window.start_view.welcome
    assert "Invitation to Harbour Studio" in words_in(welcome)
    assert not welcome.paste.isVisible()
    assert welcome.start.text() == "Join"
    assert "Invitation to Harbour Studio" in welcome.name.accessibleDescription()
    window.press(Qt.Key.Key_Return)  # meant for what stood there before
    assert welcome.isVisible()
    assert teams(elin) == []
    window.until(welcome.start.isEnabled)
    assert teams(elin) == []
    window.click(welcome.start)
    window.until_open("#general – Harbour Studio")
    assert teams(elin) == ["Harbour Studio"]


def test_return_in_the_name_joins_and_without_a_name_it_is_asked_for(
    open_window: Open, elin: Person, mara: Person
) -> None:
    link = mara.invite(mara.found("Harbour Studio"))
    window = open_window(elin)
    window.session.open_link(link)
    welcome = window.start_view.welcome
    window.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.press(Qt.Key.Key_Delete)
    window.until(welcome.start.isEnabled)
    window.press(Qt.Key.Key_Return)
    assert "Type your name first" in words_in(welcome)
    window.type("Elin A.\n")
    window.until_open("#general – Harbour Studio")

    def names() -> list[str]:
        members = mara.look(lambda node: node.teams.members(node.teams.list()[0].id))
        return sorted(member.name for member in members)

    window.until(lambda: names() == ["Elin A.", "Mara Oduya"])  # her name follows who joined


def test_an_invitation_is_put_aside_and_a_team_of_ones_own_started(
    open_window: Open, elin: Person
) -> None:
    window = open_window(elin)
    window.session.open_link(link_to("Harbour Studio"))
    window.click_text("Not now")
    welcome = window.start_view.welcome
    assert "Harbour Studio" not in words_in(welcome)
    assert welcome.paste.isVisible()
    window.press(Qt.Key.Key_Return)
    window.type("Own Team\n")
    window.until_open("#general – Own Team")


def test_on_the_start_screen_the_newest_invitation_wins(open_window: Open, elin: Person) -> None:
    window = open_window(elin)
    for number in range(20):
        window.session.open_link(link_to(f"Team {number}", "wss://talk.example.org"))
    words = words_in(window.start_view.welcome)
    assert "Invitation to Team 19" in words
    assert "connects to talk.example.org" in words
    assert forms(window) == []


def test_a_link_that_comes_before_the_node_is_up_is_shown_at_once(
    open_window: Open, elin: Person
) -> None:
    window = open_window(elin, loaded=False)
    window.session.open_link(link_to("Harbour Studio"))
    assert "Invitation to Harbour Studio" in words_in(window.start_view.welcome)
    window.until(lambda: window.session.model.identity is not None)
    assert "Invitation to Harbour Studio" in words_in(window.start_view.welcome)


def test_a_start_screen_that_gives_way_to_a_team_hands_the_invitation_on(
    open_window: Open, elin: Person
) -> None:
    elin.found("Harbour Studio")
    window = open_window(elin, loaded=False)  # as if the first page could not be read
    window.session.open_link(link_to("Other Team"))
    assert isinstance(window.shell.page(), StartView)
    form_of(window, "Other Team")
    window.until_open("#general – Harbour Studio")


def test_over_a_team_a_dialog_asks_and_the_other_team_opens(
    window: Window, elin: Person, mara: Person
) -> None:
    link = mara.invite(mara.found("Second Team"))
    window.session.open_link(link)
    form = form_of(window, "Second Team")
    assert isinstance(form, InvitedDialog)
    assert "They will see you as Elin Aas." in words_in(form)
    assert "Second Team" in form.accessibleDescription()
    window.until(form.act.isEnabled)
    assert teams(elin) == ["Harbour Studio"]
    window.click(form.act)
    window.until_open("#general – Second Team")
    assert teams(elin) == ["Harbour Studio", "Second Team"]
    assert forms(window) == []


def test_who_cancels_stays_where_they_are(window: Window, elin: Person) -> None:
    window.session.open_link(link_to("Second Team"))
    form = form_of(window, "Second Team")
    window.click(form.close_button)
    window.until(lambda: forms(window) == [])
    assert window.shell.windowTitle().startswith("#general – Harbour Studio")
    assert teams(elin) == ["Harbour Studio"]


def test_what_one_types_while_the_dialog_appears_does_not_agree(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invited, "LOOK_FIRST_MS", 60_000)
    window.session.open_link(link_to("Second Team"))
    form = form_of(window, "Second Team")
    window.until(form.close_button.hasFocus)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Return):
        window.press(key)
    assert form.isVisible()
    assert not form.act.isEnabled()
    assert teams(elin) == ["Harbour Studio"]


def test_many_links_leave_one_dialog_and_the_newest_wins(window: Window) -> None:
    for number in range(30):
        window.session.open_link(link_to(f"Team {number}") if number % 3 else NEWER)
    form_of(window, "Team 29")
    window.session.open_link(NEWER)
    form_of(window, "newer version")
    window.session.open_link(link_to("Last Team"))
    form_of(window, "Last Team")


def test_an_invitation_to_the_own_team_brings_it_to_the_front(
    window: Window, elin: Person, team: ConversationId
) -> None:
    link = elin.invite(team)
    other = elin.found("Second Team")
    window.until(lambda: other in window.session.model.teams)
    window.main.open_team(other)
    window.until_open("#general – Second Team")
    window.session.open_link(link)
    form = form_of(window, "You are in this team already")
    assert "Harbour Studio" in words_in(form)
    window.until_open("#general – Harbour Studio")


def test_on_the_start_screen_for_another_team_it_is_filled_in_too(
    window: Window, mara: Person
) -> None:
    link = mara.invite(mara.found("Second Team"))
    window.session._show_start()
    window.session.open_link(link)
    welcome = window.start_view.welcome
    assert "Invitation to Second Team" in words_in(welcome)
    window.until(welcome.start.isEnabled)
    window.click(welcome.start)
    window.until_open("#general – Second Team")
    window.session._show_start()
    assert welcome.start.text() == "Start a team"


def test_a_link_with_the_start_over_a_team_waits_for_the_node(
    open_window: Open, elin: Person
) -> None:
    elin.found("Harbour Studio")
    first = read_first_page(elin.folder / "store.sqlite3")
    window = open_window(elin, first=first, loaded=False)
    window.session.open_link(link_to("First"))
    window.session.open_link(link_to("Newest"))
    form_of(window, "Newest")


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (NEWER, "made by a newer version of Folkmoot. Install the newest version"),
        ("folkmoot://join/abc", "damaged"),
        (link_to("Harbour Studio")[:-4], "damaged"),
        ("folkmoot://message/abc", "does not know what it is for"),
        ("folkmoot://x?--profile=/tmp/x", "does not know what it is for"),
    ],
)
@pytest.mark.parametrize("with_team", [False, True], ids=["start screen", "team"])
def test_a_wrong_link_is_said_in_the_window(
    open_window: Open, elin: Person, link: str, words: str, with_team: bool
) -> None:
    if with_team:
        elin.found("Own Team")
    window = open_window(elin)
    window.session.open_link(link)
    form = form_of(window, words)
    assert "This link cannot be opened" in words_in(form)
    assert link.rpartition("/")[2] not in words_in(form)
    window.click(form.close_button)
    window.until(lambda: forms(window) == [])


@pytest.mark.parametrize("with_team", [False, True], ids=["start screen", "team"])
def test_the_name_of_a_team_is_never_read_as_markup(
    open_window: Open, elin: Person, with_team: bool
) -> None:
    name = "<b>Bold</b> &amp; <img src=x>"
    if with_team:
        elin.found("Own Team")
    window = open_window(elin)
    window.session.open_link(link_to(name))
    part = form_of(window, name) if with_team else window.start_view.welcome
    assert name in words_in(part)
    assert {label.textFormat() for label in part.findChildren(QLabel)} == {Qt.TextFormat.PlainText}


def test_a_link_that_macos_opens_is_told_and_a_file_is_not(qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, Application)
    told: list[str] = []
    application.link_opened.connect(told.append)
    for url in (
        "folkmoot://join/Ab-_9",
        "file:///etc/passwd",
        "https://example.org",
        "folkmoot://join/" + "x" * 5000,
        "folkmoot://join/a b",
    ):
        QCoreApplication.sendEvent(application, QFileOpenEvent(QUrl(url)))
    application.link_opened.disconnect(told.append)
    # A space is no longer one: Qt writes it as %20, which no invitation holds.
    assert told == ["folkmoot://join/Ab-_9", "folkmoot://join/a%20b"]
