"""Profiles of a given size for the benchmarks, written through the shipped services and store.

Seeded: the same mix each time. Lengths fall off exponentially around fifteen words, with a code
block now and then; one message in ten is a reply in a thread, one in twelve has a reaction.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from folkmoot.bootstrap.running import Options, build
from folkmoot.domain.ids import ConversationId
from folkmoot.services.node import Node
from folkmoot.system.profile import open_profile

CHANNELS = ("boat-hull", "sails", "shipping", "off-topic")
_WORDS = (
    *("the", "mould", "is", "ready", "and", "we", "can", "start", "on", "Monday", "if", "resin"),
    *("has", "arrived", "please", "check", "`ply_07`", "angle", "of", "every", "**layer**"),
    *("Grüße", "から", "https://example.org/plan", "🎉"),
)
_CODE = "\n```python\nfor ply in stack:\n    ply.angle += 45\n```"
_EMOJI = ("👍", "❤️", "🎉", "👀")


def fill(folder: Path, messages: int, seed: int = 7) -> None:
    """Write so many messages into a new profile and leave #boat-hull open."""
    asyncio.run(_fill(folder, messages, random.Random(seed)))


async def _fill(folder: Path, messages: int, chance: random.Random) -> None:
    options = Options(name="Elin", discovery=False, listen=("127.0.0.1:0",))
    running = await build(open_profile(folder), options)
    node = running.node
    team = await node.teams.create("Harbour Studio")
    channels = [c.id for c in await node.conversations.list()]
    for name in CHANNELS:
        channels.append((await node.conversations.create_channel(team.id, name)).id)
    await asyncio.gather(
        *(
            _write(node, channel, messages // len(channels), random.Random(chance.random()))
            for channel in channels
        )
    )
    await node.settings.set("window.conversation", channels[1].hex())
    await running.aclose()


async def _write(node: Node, channel: ConversationId, messages: int, chance: random.Random) -> None:
    thread = None
    for _ in range(messages):
        text = " ".join(chance.choices(_WORDS, k=2 + int(chance.expovariate(1 / 14))))
        if chance.random() < 0.02:
            text += _CODE
        inside = thread if chance.random() < 0.1 else None
        message = await node.messages.post(channel, text, thread=inside)
        if inside is None and chance.random() < 0.2:
            thread = message.id
        if chance.random() < 1 / 12:
            await node.messages.react(message.id, chance.choice(_EMOJI), True)
