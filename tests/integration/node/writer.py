"""A process that writes messages and drafts until it is killed: `writer.py PROFILE`.

First it prints one line of JSON with what it found, then a line for each message and draft that the
node has said to be saved. It uses the node as the window does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from folkmoot.bootstrap.node_thread import NodeThread
from folkmoot.bootstrap.running import Options
from folkmoot.services.node import Node
from folkmoot.services.values import Draft
from folkmoot.system.profile import open_profile


def say(line: dict[str, Any]) -> None:
    """Print a line at once."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def found(node: Node) -> dict[str, Any]:
    """Every text stored, and the draft; a team is founded the first time."""
    if not node.teams.list():
        await node.teams.create("Crew")
    [channel] = await node.conversations.list()
    texts: list[str] = []
    page = await node.messages.page(channel.id, limit=200)
    while page.messages:
        texts[:0] = [message.text for message in page.messages]
        page = await node.messages.page(channel.id, before=page.messages[0].id, limit=200)
    drafts = [draft.text for draft in await node.drafts.all()]
    return {"texts": texts, "drafts": drafts}


def main() -> None:
    """Write for ever."""
    options = Options(listen=("127.0.0.1:0",), discovery=False)
    thread = NodeThread(open_profile(Path(sys.argv[1])), options)
    held = thread.call(found).result(30)
    say(held)
    number = len(held["texts"])

    async def write(node: Node) -> None:
        [channel] = await node.conversations.list()
        await node.drafts.save(Draft(channel.id, None, f"draft {number}"))
        say({"draft": f"draft {number}"})
        message = await node.messages.post(channel.id, f"message {number}")
        say({"text": message.text})

    while True:
        thread.call(write).result(30)
        number += 1


if __name__ == "__main__":
    main()
