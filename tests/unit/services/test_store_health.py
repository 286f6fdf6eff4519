"""A disk that is full is a notice until a write works again."""

from __future__ import annotations

import pytest

from builders.nodes import LoneNode
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.events import NoticeChanged
from folkmoot.services.values import Conversation, Draft

FULL = EnvironmentFault("disk_full", "The disk is full.", "Free some space.")
TOLD = NoticeChanged("disk_full", "The disk is full.", "Free some space.")


@pytest.mark.parametrize("write", ["append", "save_draft"])
async def test_a_full_disk_is_a_notice_until_a_write_works(
    lone: LoneNode, general: Conversation, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    async def fail(*_given: object, **_named: object) -> None:
        raise FULL

    async def attempt() -> None:
        if write == "append":
            await lone.node.messages.post(general.id, "hello")
        else:
            await lone.node.drafts.save(Draft(general.id, None, "hel"))

    with monkeypatch.context() as patched:
        patched.setattr(lone.store, write, fail)
        for _ in range(2):
            with pytest.raises(EnvironmentFault):
                await attempt()
        assert lone.node.notices() == [TOLD]
    await attempt()
    assert lone.node.notices() == []
    assert lone.told(NoticeChanged) == [TOLD, NoticeChanged("disk_full", "")]


async def test_a_fault_of_one_write_is_no_state(
    lone: LoneNode, general: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: object, **_named: object) -> None:
        raise EnvironmentFault("store_closed", "The store is closed.")

    monkeypatch.setattr(lone.store, "append", fail)
    with pytest.raises(EnvironmentFault):
        await lone.node.messages.post(general.id, "hello")
    assert lone.node.notices() == []
