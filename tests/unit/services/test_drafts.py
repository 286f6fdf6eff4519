"""Drafts and settings."""

from __future__ import annotations

import pytest

from builders.nodes import LoneNode
from folkmoot.domain.errors import UserError
from folkmoot.services.drafts import MAX_DRAFT_CHARACTERS
from folkmoot.services.settings import MAX_VALUE_CHARACTERS
from folkmoot.services.values import Conversation, Draft


async def test_a_draft_is_kept_until_it_is_cleared(lone: LoneNode, general: Conversation) -> None:
    await lone.node.drafts.save(Draft(general.id, None, "half a tho"))
    await lone.node.drafts.save(Draft(general.id, None, "half a thought"))
    assert await lone.node.drafts.all() == [Draft(general.id, None, "half a thought")]
    assert (await lone.node.conversations.get(general.id)).draft
    await lone.node.drafts.save(Draft(general.id, None, ""))
    assert await lone.node.drafts.all() == []


async def test_a_thread_has_its_own_draft(lone: LoneNode, general: Conversation) -> None:
    root = await lone.node.messages.post(general.id, "root")
    drafts = [Draft(general.id, None, "one"), Draft(general.id, root.id, "two")]
    for draft in drafts:
        await lone.node.drafts.save(draft)
    assert sorted(await lone.node.drafts.all(), key=lambda one: one.text) == drafts


async def test_a_draft_too_long_to_send_is_kept_and_an_endless_one_refused(
    lone: LoneNode, general: Conversation
) -> None:
    await lone.node.drafts.save(Draft(general.id, None, "x" * 100_000))
    with pytest.raises(UserError) as raised:
        await lone.node.drafts.save(Draft(general.id, None, "x" * (MAX_DRAFT_CHARACTERS + 1)))
    assert raised.value.code == "bad_text"
    [kept] = await lone.node.drafts.all()
    assert len(kept.text) == 100_000


async def test_a_setting_is_kept_and_forgotten(lone: LoneNode) -> None:
    assert await lone.node.settings.get("window.theme") is None
    await lone.node.settings.set("window.theme", "dark")
    assert await lone.node.settings.get("window.theme") == "dark"
    await lone.node.settings.set("window.theme", None)
    assert await lone.node.settings.get("window.theme") is None
    with pytest.raises(UserError):
        await lone.node.settings.set("window.theme", "x" * (MAX_VALUE_CHARACTERS + 1))
