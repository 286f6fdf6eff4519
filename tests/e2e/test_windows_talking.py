"""Two people talk: everything one does with messages, once by mouse and once by keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.desktop import WindowProcess
from e2e.people import NEEDS, act, desk_with_two_places, gone, message, two_people, write

pytestmark = [
    pytest.mark.needs(*NEEDS),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
]


def test_typing_editing_and_deleting_are_seen_in_the_other_window(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        elin.click("Message #general", "text")
        elin.type("Meet at nin")
        tomas.find("Elin is typing", "label")
        desk.picture("typing")
        elin.type("e.")
        elin.key("Return")
        message(tomas, "Meet at nine.")
        gone(tomas, "Elin is typing")
        elin.key("Up")
        elin.find("Editing your message", "label")
        elin.type(" Sharp.")
        elin.key("Return")
        assert "edited" in message(tomas, "Meet at nine. Sharp.").name
        desk.picture("edited")
        act(elin, "Meet at nine. Sharp.", "More")
        desk.picture("menu")
        elin.key("Up", "Return")
        elin.find("for everyone?")
        desk.picture("confirm")
        elin.click("Delete", "push button")
        for window in (elin, tomas):
            gone(window, "Meet at nine.", "list item")
        desk.picture("deleted")


def test_who_was_in_another_channel_sees_a_badge_and_the_new_line(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        write(elin, "Before you went.")
        message(tomas, "Before you went.")
        tomas.click("Message #general", "text")
        gone(tomas, "1 unread")
        tomas.click("Create a channel", "push button")
        tomas.find("Name", "text")
        tomas.type("sails")
        tomas.key("Return")
        tomas.find("Message #sails", "text")
        elin.find("sails", "check box")
        write(elin, "While you were away.")
        tomas.find("general, 1 unread", "check box")
        desk.picture("badge")
        tomas.click("general, 1 unread", "check box")
        assert message(tomas, "While you were away.").name.startswith("New, ")
        desk.picture("new-line")
        gone(tomas, "1 unread")


def test_everything_is_done_by_keyboard_alone(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        elin.focus()
        elin.type("By keys only.")
        elin.key("Return")
        message(tomas, "By keys only.")
        tomas.focus()
        _menu_of_last(tomas)
        desk.picture("menu-by-keys")
        tomas.key("Down", "Return")
        tomas.find("Search emoji", "text")
        tomas.type("heart")
        tomas.key("Return")
        assert "By keys only." in message(elin, "❤").name
        tomas.key("Return")
        tomas.key("Down", "Down", "Down", "Return")
        tomas.find("Reply", "text")
        tomas.type("From a thread.")
        tomas.key("Return")
        elin.find("1 reply", "push button")
        desk.picture("thread-by-keys")
        tomas.key("Escape")
        gone(tomas, "Thread", "label")
        elin.focus()
        elin.key("Up")
        elin.find("Editing your message", "label")
        elin.type(" Edited.")
        elin.key("Return")
        message(tomas, "By keys only. Edited.")
        elin.type("Soon gone.")
        elin.key("Return")
        message(tomas, "Soon gone.")
        _menu_of_last(elin)
        elin.key("Up", "Return")
        elin.find("for everyone?")
        elin.key("Return")
        gone(tomas, "Soon gone.", "list item")
        desk.picture("all-by-keys")


def _menu_of_last(window: WindowProcess) -> None:
    """F6 from the composer backwards to the timeline, then the menu of its last message."""
    window.key("shift+F6")
    window.key("Return")
