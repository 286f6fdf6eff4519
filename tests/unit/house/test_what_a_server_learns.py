"""What the documents say that a server learns is all that a node says to it.

A new field of a message fails here until it is said, in three places, what it tells.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.protocol import signaling as words

_TOP = Path(__file__).resolve().parents[3]
NOTHING = ""
"""Chance, a number of the protocol, what the server itself made, or sealed."""
TELLS = {
    "Login.version": NOTHING,
    "Login.device": "key",
    "Login.origin": NOTHING,
    "Login.signature": NOTHING,
    "Login.resume": NOTHING,
    "Enter.tags": "tag",
    "Leave.tags": "tag",
    "Prove.signature": NOTHING,
    "Put.id": NOTHING,
    "Put.recipient": "to whom",
    "Put.grant": "envelope",
    "Put.keep_s": "how long",
    "Put.sealed": "size",
    "Taken.ids": "when",
    "relay.device": "to whom",
    "relay.flags": NOTHING,
    "relay.payload": "size",
    "connection": "address",
}
SAID = {
    "app/folkmoot/protocol/SIGNALING.md": {
        "key": "device keys",
        "tag": "which devices are under one tag",
        "to whom": "who sends to whom",
        "envelope": "for whom",
        "how long": "how long",
        "size": "how much",
        "when": "when",
        "address": "network addresses",
    },
    "docs/HOSTING.md": {
        "key": "public keys of devices",
        "tag": "which devices share a tag",
        "to whom": "who sends to whom",
        "envelope": "for which other",
        "how long": "how long",
        "size": "how large",
        "when": "when they are connected",
        "address": "network addresses",
    },
    "app/folkmoot/ui/connections/servers.py": {
        "key": "the keys of your team's computers",
        "tag": "which of them belong together",
        "to whom": "which of them belong together",
        "envelope": "passes or waits",
        "how long": "passes or waits",
        "size": "how much",
        "when": "when",
        "address": "network addresses",
    },
}


def test_every_field_that_a_node_sends_is_known_for_what_it_tells() -> None:
    fields = {
        f"{kind.__name__}.{name}" for kind in words.FROM_NODE for name in kind.__struct_fields__
    }
    assert fields == {name for name in TELLS if name[0].isupper()}


@pytest.mark.parametrize("document", SAID)
def test_a_document_says_all_that_a_server_learns(document: str) -> None:
    text = " ".join((_TOP / document).read_text().replace('"', " ").split())
    said = SAID[document]
    for tells in TELLS.values():
        assert not tells or said[tells] in text, tells
