"""The dialogs: each asks one thing, and says in place what went wrong."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId
from folkmoot.ui.dialogs.direct import DirectDialog
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.dialogs.invite import InviteDialog
from folkmoot.ui.dialogs.settings import SettingsDialog, TeamDialog
from ui.town import Person, Town
from ui.window import Window, dialog, words_in


def test_a_channel_is_created_by_keyboard_and_renamed_from_its_head(
    window: Window, mara: Person
) -> None:
    window.main.view.side_bar.channels.plus.setFocus()
    window.press(Qt.Key.Key_Space)
    window.until(dialog)
    window.type("Boat Hull")
    window.press(Qt.Key.Key_Return)
    window.until_open("#boat-hull")
    window.until(lambda: "boat-hull" in [c.name for c in mara.conversations()])
    window.click(window.main.view.header.title)
    window.choose("Rename the channel…")
    window.until(dialog)
    window.type("hull")
    window.press(Qt.Key.Key_Return)
    window.until_open("#hull")
    window.until(lambda: "hull" in [c.name for c in mara.conversations()])


def test_a_name_that_cannot_be_is_said_in_the_dialog(window: Window) -> None:
    window.click(window.main.view.side_bar.channels.plus)
    window.until(dialog)
    window.press(Qt.Key.Key_Return)
    form = dialog()
    assert isinstance(form, Form)
    window.until(lambda: form.problem.text() == "Give the channel a name.")
    window.type("general\n")
    window.until(lambda: "general" in form.problem.text())
    window.press(Qt.Key.Key_Escape)
    window.until(lambda: dialog() is None)


def test_the_invite_dialog_makes_a_link_that_fits_is_copied_and_works_once(
    window: Window, town: Town, team: ConversationId
) -> None:
    window.click(window.main.view.side_bar.team)
    window.choose("Invite people…")
    window.until(dialog)
    form = dialog()
    assert isinstance(form, InviteDialog)
    form.uses.setFocus()
    window.press(Qt.Key.Key_Home)
    assert form.uses.currentText() == "once"
    window.click(form.make)
    window.until(form.line.isVisible)
    window.click(form.line.copy)
    link = QGuiApplication.clipboard().text()
    layout = form.layout()
    assert layout is not None
    window.until(lambda: form.height() == layout.totalHeightForWidth(form.width()))
    window.press(Qt.Key.Key_Escape)
    town.person("Tomas Lind").join(link)
    window.until(lambda: window.main.view.header.members.accessibleName() == "Members: 3")
    yuki = town.person("Yuki Kato")
    error = yuki.call(lambda node: node.joining.join(link)).exception(30)
    assert isinstance(error, UserError)
    assert error.code == "used_up"


def test_settings_keep_the_name_and_the_theme_and_others_see_the_name(
    window: Window, elin: Person, mara: Person, team: ConversationId
) -> None:
    window.click(window.main.view.side_bar.settings)
    window.until(dialog)
    form = dialog()
    assert isinstance(form, SettingsDialog)
    window.type("Elin A.")
    window.click(next(b for b in form.modes.buttons() if b.text() == "Dark"))
    window.until(lambda: elin.do(lambda node: node.settings.get("window.theme")) == "dark")
    window.click(form.act)
    window.until(lambda: elin.look(lambda node: node.identity.me().name) == "Elin A.")
    window.until(
        lambda: "Elin A." in [m.name for m in mara.look(lambda node: node.teams.members(team))]
    )


def test_team_settings_rename_the_team_and_hide_it(
    window: Window, mara: Person, team: ConversationId
) -> None:
    window.click(window.main.view.side_bar.team)
    window.choose("Team settings…")
    window.until(dialog)
    form = dialog()
    assert isinstance(form, TeamDialog)
    window.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.type("Harbour Works")
    window.click(form.visible)
    window.click(form.act)
    window.until(lambda: window.shell.windowTitle().startswith("#general – Harbour Works"))

    def told() -> bool:
        (seen,) = mara.look(lambda node: node.teams.list())
        return (seen.name, seen.visible) == ("Harbour Works", False)

    window.until(told)


def test_the_list_of_members_follows_to_another_channel_and_goes_with_the_channels(
    window: Window, mara: Person
) -> None:
    view = window.main.view
    window.until(lambda: view.header.members.accessibleName() == "Members: 2")
    window.click(view.header.members)
    window.until(lambda: "#general" in words_in(view.right))
    window.click(window.row("shipping"))
    window.until_open("#shipping")
    assert "#shipping" in words_in(view.right)
    window.until(lambda: view.right.members.row(mara.keyring.person) is not None)
    window.main.beside.person_chosen.emit(mara.keyring.person)
    window.until_open("Mara Oduya")
    assert not view.right.isVisible()


def test_writing_to_a_member_opens_a_direct_conversation_that_only_they_read(
    window: Window, town: Town, elin: Person, mara: Person, team: ConversationId
) -> None:
    tomas = town.person("Tomas Lind")
    tomas.join(elin.invite(team))
    window.until(lambda: window.main.view.header.members.accessibleName() == "Members: 3")
    window.click(window.main.view.side_bar.directs.plus)
    window.until(dialog)
    form = dialog()
    assert isinstance(form, DirectDialog)
    window.type("mar")
    (found,) = [item for n in range(2) if not (item := form.list.item(n)).isHidden()]
    assert found.text() == "Mara Oduya"
    sign = form.list.visualItemRect(found).topLeft() + QPoint(10, 10)
    QTest.mouseClick(form.list.viewport(), Qt.MouseButton.LeftButton, pos=sign)
    window.until(form.act.isEnabled)
    window.click(form.act)
    window.until_open("Mara Oduya")
    assert [r.row.name for r in window.main.view.side_bar.directs.rows] == ["Mara Oduya"]
    window.write("Only for you")
    window.until(lambda: mara.reads("Elin Aas") == ["Only for you"])
    assert [c.name for c in tomas.conversations() if c.name not in ("general", "shipping")] == []


def test_a_topic_is_edited_in_place_and_reaches_the_others(window: Window, mara: Person) -> None:
    header = window.main.view.header
    window.click(header.topic)
    window.until(header.topic_field.hasFocus)
    window.type("Boats and sails\n")
    window.until(lambda: mara.conversation("general").topic == "Boats and sails")
    window.until(lambda: header.topic.accessibleName() == "Topic: Boats and sails")


def test_reduced_motion_is_chosen_where_the_theme_is_and_kept(window: Window, elin: Person) -> None:
    window.click(window.main.view.side_bar.settings)
    window.until(dialog)
    form = dialog()
    assert isinstance(form, SettingsDialog)
    window.click(form.still)
    kept = "window.reduce_motion"
    window.until(lambda: elin.do(lambda node: node.settings.get(kept)) == "1")
    assert form.theme.reduce_motion
    window.click(form.still)
    window.until(lambda: not elin.do(lambda node: node.settings.get(kept)))
    window.press(Qt.Key.Key_Escape)
