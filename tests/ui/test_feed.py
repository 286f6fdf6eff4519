"""What the window knows stays true while it is being read."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from folkmoot.domain.ids import PersonId
from folkmoot.services import events as told
from folkmoot.services.values import Draft, PresenceState
from ui.fake_node import FakeNode, key
from ui.window import Window


def test_who_comes_online_while_everything_is_read_stays_online(
    window: Window, fake: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomas = PersonId(key("Tomas Lind"))
    offline = replace(fake.presence_map[tomas], state=PresenceState.OFFLINE)
    came = threading.Event()
    window.session.bridge.events.connect(lambda _: came.set())

    async def drafts_and_a_link() -> list[Draft]:
        """Between two answers of the node a link comes up, and the window hears of it first."""
        came.clear()
        online = replace(offline, state=PresenceState.ONLINE)
        fake.presence_map[tomas] = online
        fake.bus.publish(told.PresenceChanged(online))
        await asyncio.to_thread(came.wait, 5)
        return []

    window.node.do(lambda n: n.presence_map.update({tomas: offline}))
    monkeypatch.setattr(
        FakeNode, "drafts", property(lambda _: SimpleNamespace(all=drafts_and_a_link))
    )
    states: list[PresenceState] = []
    window.session.feed.reloaded.connect(
        lambda: states.append(window.session.model.state_of(tomas))
    )
    window.node.do(lambda n: n.bus.publish(told.Gap()))
    window.until(lambda: states)
    window.until(lambda: window.session.model.state_of(tomas) is PresenceState.ONLINE)
