"""The dialogs: each asks one thing, and says in place what went wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from folkmoot.domain.ids import ConversationId
from folkmoot.ui.dialogs.direct import DirectDialog
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.dialogs.invite import InviteDialog
from folkmoot.ui.dialogs.settings import SettingsDialog
from ui.fake_node import FakeNode
from ui.window import Window, conversation, dialog


def test_a_channel_is_created_and_renamed_by_keyboard(window: Window, fake: FakeNode) -> None:
    window.main.view.side_bar.channels.plus.setFocus()
    window.press(Qt.Key.Key_Space)
    window.until(dialog)
    window.type("Boat Hull")
    window.press(Qt.Key.Key_Return)
    window.until(lambda: window.shell.windowTitle().startswith("#boat-hull"))
    window.main.dialogs.rename_channel(fake.conversation_map[conversation(fake, "boat-hull")])
    window.until(dialog)
    window.type("general")
    window.press(Qt.Key.Key_Return)
    window.until(lambda: dialog() is None)


def test_a_name_that_is_taken_is_said_in_the_dialog(window: Window) -> None:
    window.main.dialogs.create_channel(next(iter(window.session.model.teams)))
    window.until(dialog)
    window.type("general\n")
    form = dialog()
    assert isinstance(form, Form)
    window.until(lambda: "already" in form.problem.text())
    window.press(Qt.Key.Key_Escape)


def test_the_invite_dialog_makes_a_link_that_fits_and_is_copied(
    window: Window, team: ConversationId
) -> None:
    window.main.dialogs.invite(team)
    window.until(dialog)
    form = dialog()
    assert isinstance(form, InviteDialog)
    window.click(form.make)
    window.until(form.line.isVisible)
    window.click(form.line.copy)
    assert QGuiApplication.clipboard().text().startswith("folkmoot://join/")
    layout = form.layout()
    assert layout is not None
    window.until(lambda: form.height() == layout.totalHeightForWidth(form.width()))
    window.press(Qt.Key.Key_Escape)
    QGuiApplication.clipboard().clear()


def test_settings_keep_the_name_and_the_theme(window: Window, fake: FakeNode) -> None:
    window.click(window.main.view.side_bar.settings)
    window.until(dialog)
    form = dialog()
    assert isinstance(form, SettingsDialog)
    window.type("Elin A.")
    dark = next(b for b in form.modes.buttons() if b.text() == "Dark")
    QTest.mouseClick(dark, Qt.MouseButton.LeftButton)
    window.until(lambda: fake.setting_map.get("window.theme") == "dark")
    window.click(form.act)
    window.until(lambda: fake.my.name == "Elin A.")


def test_writing_to_a_member_opens_a_direct_conversation(window: Window) -> None:
    window.click(window.main.view.side_bar.directs.plus)
    window.until(dialog)
    form = dialog()
    assert isinstance(form, DirectDialog)
    window.type("mar")
    form.list.item(0).setCheckState(Qt.CheckState.Checked)
    window.click(form.act)
    window.until(lambda: window.shell.windowTitle().startswith("Mara Oduya"))
    assert [r.row.name for r in window.main.view.side_bar.directs.rows] == ["Mara Oduya"]
