"""Two windows in two homes behind routers: they meet over a real server and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.desktop import WindowProcess
from e2e.meeting import URL, signaling
from e2e.nat import SERVER, Homes, Router, homes
from e2e.people import (
    NEEDS,
    Desk,
    desk_with_two_places,
    gone,
    message,
    say_name,
    start_team,
    write,
)

pytestmark = [
    pytest.mark.needs(*NEEDS, "netns", "nft"),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
    pytest.mark.timeout(240),
]
PLACE = f"{SERVER}:8480"
OVER = f"Over {PLACE}"


@pytest.fixture
def apart() -> Iterator[Homes]:
    """Two homes. Elin's router lets no UDP through, so that no direct way can be found."""
    with homes(elin=Router.NO_UDP, tomas=Router.PLAIN) as made:
        yield made


def add_server(window: WindowProcess) -> None:
    """Settings, Connections, type, Return."""
    window.click("Settings", "push button")
    window.click("Connections", "push button")
    window.click("Address of a server", "text")
    window.type(URL)
    window.key("Return")
    window.find("Connected", "label", 30)


def join_from_elsewhere(host: WindowProcess, guest: WindowProcess, name: str) -> None:
    """Hand an invitation over; it says that it leads over the server."""
    host.click("Copy an invitation link")
    host.find(f"from everywhere, over {PLACE}", "label")
    say_name(guest, name)
    guest.find(f"It connects to {PLACE}", "label")
    guest.click("Paste it")
    guest.find("Invitation", "text")
    guest.key("ctrl+v")
    guest.find(f"Folkmoot connects to {PLACE}", "label")
    guest.key("Return")
    guest.find("Message #general", "text", 40)


def meet(desk: Desk, apart: Homes) -> tuple[WindowProcess, WindowProcess]:
    """Elin at the left with a server, Tomas at the right who came by her invitation."""
    elin = desk.open("elin", prefix=apart.inside("elin"))
    start_team(elin, "Elin", "Harbour Studio")
    add_server(elin)
    desk.picture("server")
    elin.key("Escape")
    tomas = desk.open("tomas", 1, prefix=apart.inside("tomas"))
    join_from_elsewhere(elin, tomas, "Tomas")
    return elin, tomas


def test_who_is_on_no_common_network_joins_chats_and_sees_over_what(
    tmp_path: Path, apart: Homes
) -> None:
    with signaling(apart, tmp_path / "server"), desk_with_two_places(tmp_path) as desk:
        elin, tomas = meet(desk, apart)
        write(tomas, "The mast is up.")
        message(elin, "The mast is up.")
        write(elin, "Well done.")
        message(tomas, "Well done.")
        elin.find("2 of 2 online")
        desk.picture("talked")
        elin.click("Members: 2", "check box")
        elin.find(f"over {PLACE}", "push button")
        desk.picture("members")
        elin.key("ctrl+shift+d")
        elin.place_window("Connection doctor", 0, 0, 780, 700)
        row = elin.find(f"{OVER}, ", "check box")
        assert row.name.startswith("Tomas, ")
        elin.click_at(*row.middle)
        elin.find(OVER, "label")
        desk.picture("doctor")
        elin.click("Check again", "push button")
        elin.find("Check again", "push button")
        desk.picture("checked")


def test_a_server_that_goes_is_told_and_what_was_written_meanwhile_comes_after_it(
    tmp_path: Path, apart: Homes
) -> None:
    with desk_with_two_places(tmp_path) as desk:
        with signaling(apart, tmp_path / "server"):
            elin, tomas = meet(desk, apart)
            write(elin, "Before")
            message(tomas, "Before")
        write(elin, "Meanwhile")
        elin.find(f"Your server {SERVER} cannot be reached.", "label", 60)
        elin.find("Nobody else is reached")
        desk.picture("away")
        elin.click("Find out why", "push button")
        elin.find("Connection doctor", "label")
        elin.find("Tomas, ", "check box")
        desk.picture("why")
        elin.key("Escape")
        with signaling(apart, tmp_path / "server"):
            tomas.find("Meanwhile", "list item", 90)
            gone(elin, "cannot be reached")
            desk.picture("back")


def test_who_is_away_finds_what_was_kept_sealed_though_its_author_has_gone(
    tmp_path: Path, apart: Homes
) -> None:
    with signaling(apart, tmp_path / "server"), desk_with_two_places(tmp_path) as desk:
        elin, tomas = meet(desk, apart)
        write(tomas, "I must go.")
        message(elin, "I must go.")
        assert tomas.close() == 0
        elin.find("Nobody else is reached")
        write(elin, "The keys are in the shed.")
        elin.find("kept sealed at", "list item", 40)
        desk.picture("sealed")
        assert elin.close() == 0
        tomas = desk.open("tomas", 1, prefix=apart.inside("tomas"))
        tomas.find("The keys are in the shed.", "list item", 40)
        desk.picture("found")


def test_where_both_routers_allow_it_the_way_becomes_a_direct_one(tmp_path: Path) -> None:
    with (
        homes(elin=Router.PLAIN, tomas=Router.PLAIN) as made,
        signaling(made, tmp_path / "server"),
        desk_with_two_places(tmp_path) as desk,
    ):
        elin, tomas = meet(desk, made)
        write(tomas, "Direct now?")
        message(elin, "Direct now?")
        elin.key("ctrl+shift+d")
        elin.place_window("Connection doctor", 0, 0, 780, 700)
        row = elin.find("Direct, over the internet, ", "check box", 40)
        elin.click_at(*row.middle)
        elin.find("Directly, over the internet", "label")
        desk.picture("direct")
