"""What the window knows stays true while it is being read."""

from __future__ import annotations

import asyncio

import pytest

from folkmoot.domain.ids import ConversationId
from folkmoot.services.events import Event, PresenceChanged
from folkmoot.services.values import Draft, PresenceState
from ui.town import Person, Town
from ui.window import Open


def test_who_comes_online_while_everything_is_read_stays_online(
    open_window: Open,
    town: Town,
    elin: Person,
    team: ConversationId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tomas = town.person("Tomas Lind")
    tomas.join(elin.invite(team))
    tomas.close()

    async def drafts_and_a_link() -> list[Draft]:
        """Between two answers of the node a link comes up, and the window hears of it first."""
        here = asyncio.Event()

        def look(event: Event) -> None:
            if isinstance(event, PresenceChanged) and event.presence.person == tomas.id:
                here.set()

        elin.node.events.listen(look)
        await tomas.come()
        await here.wait()
        return []

    monkeypatch.setattr(elin.node.drafts, "all", drafts_and_a_link)
    window = open_window(elin)
    assert tomas.runs
    window.until(lambda: window.session.model.state_of(tomas.id) is PresenceState.ONLINE)


def test_what_is_written_while_everything_is_read_is_counted(
    open_window: Open,
    elin: Person,
    mara: Person,
    team: ConversationId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipping = mara.conversation("shipping").id
    read = elin.node.conversations.list

    async def read_slowly() -> object:
        found = await read()
        told = asyncio.Event()
        elin.node.events.listen(lambda _event: told.set())
        await mara.node.messages.post(shipping, "While you start")
        while (await read()) == found:
            await told.wait()  # also for what was told while it was read
            told.clear()
        return found

    monkeypatch.setattr(elin.node.conversations, "list", read_slowly)
    window = open_window(elin)
    window.until_open("#general")
    window.until(lambda: window.row("shipping").row.unread == 1)
