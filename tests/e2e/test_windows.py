"""Two people meet: two real windows side by side, worked with mouse and keyboard only."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.desktop import WindowProcess
from e2e.nodes import until
from e2e.people import (
    NEEDS,
    act,
    desk_with_two_places,
    message,
    say_name,
    start_team,
    two_people,
    write,
)

pytestmark = [pytest.mark.needs(*NEEDS), pytest.mark.blocks_loop("a person waits")]


def test_two_windows_exchange_a_message_a_reaction_and_a_thread_reply(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        desk.picture("joined")
        write(tomas, "The mast is **up**.")
        message(elin, "The mast is")
        act(elin, "The mast is", "React")
        elin.find("Search emoji", "text")
        elin.key("Return")
        assert "👍" in message(tomas, "Elin").name
        desk.picture("reaction")
        act(tomas, "The mast is", "Reply in thread")
        tomas.find("Reply", "text")
        tomas.type("Photos follow.")
        tomas.key("Return")
        message(tomas, "Photos follow.")
        elin.click("1 reply", "push button")
        message(elin, "Photos follow.")
        desk.picture("thread")


@pytest.mark.long
def test_who_asks_and_who_admits_see_the_same_four_words(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = desk.open("elin"), desk.open("tomas", 1)
        start_team(elin, "Elin", "Asked Harbour")
        say_name(tomas, "Tomas")
        tomas.click("Ask to join Asked Harbour", "push button")
        tomas.find("Waiting for somebody in Asked Harbour")
        elin.find("Tomas asks to join Asked Harbour", timeout_s=60)
        desk.picture("asked")
        words = [_four_words(window) for window in (elin, tomas)]
        assert words[0] == words[1]
        elin.click("Admit", "push button")
        tomas.find("Message #general", "text")
        tomas.type("Thank you!")
        tomas.key("Return")
        message(elin, "Thank you!")
        desk.picture("admitted")


@pytest.mark.long
def test_who_is_declined_is_told_and_may_ask_again(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = desk.open("elin"), desk.open("tomas", 1)
        start_team(elin, "Elin", "Closed Harbour")
        say_name(tomas, "Tomas")
        tomas.click("Ask to join Closed Harbour", "push button")
        elin.click("Decline", "push button")
        tomas.find("Closed Harbour did not let you in.")
        desk.picture("declined")
        tomas.find("Ask to join Closed Harbour", "push button")


def _four_words(window: WindowProcess) -> list[str]:
    """The label that is four lower-case words, as soon as it is there."""

    def find() -> list[list[str]]:
        labels = [each.name.split() for each in window.all(role="label")]
        return [words for words in labels if len(words) == 4 and all(w.islower() for w in words)]

    found = until(find, "four words", more=lambda: f"there are: {window.names()}")
    assert len(found) == 1, found
    return found[0]
