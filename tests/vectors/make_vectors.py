"""Writes the golden vectors from fixed seeds: run it only when the wire format changes on purpose.

From the top folder: `PYTHONPATH=app:tests python tests/vectors/make_vectors.py`. The tests never
call it; they read the files, decode what is there and encode it again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders.describing import describe
from builders.writers import START_MS, Writer, admit, seed
from folkmoot.domain import bodies as b
from folkmoot.domain.direct import direct_id, direct_persons
from folkmoot.domain.entry import LogHead
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey
from folkmoot.protocol import frames as f
from folkmoot.protocol.bodies import encode_body
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.digest import conversation_digest, overall_digest
from folkmoot.protocol.handshake import Dialler, LinkIdentity, Listener
from folkmoot.protocol.invites import InviteLink, invite_key, make_proof, write_link
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.words import person_words, read_words, sas_commitment, sas_words

HERE = Path(__file__).parent
ANN, BOB = Writer("ann"), Writer("bob")
TEAM = ConversationId(ANN.found().id)
A, B, C = (EntryId(seed(letter)) for letter in "abc")
SALT = seed("salt")[:16]


def bodies() -> list[dict[str, Any]]:
    made = ANN.write(TEAM, TEAM, b.Invite(Signer(seed("invite", "v")).public, b.Level.MEMBER, True))
    persons = direct_persons([ANN.person, BOB.person])
    cut = b.Cut(BOB.device, B, 7, C)
    grant = b.Grant(BOB.person, b.Level.GUEST, True, (A,), 30, (B,), (C,), (cut,))
    cases: list[tuple[str, b.Body]] = [
        ("open of a log in a team or channel", b.Open(ANN.certificate)),
        ("open of a direct conversation", b.Open(ANN.certificate, persons)),
        ("genesis", b.Genesis("Crew of the Ærø", ANN.certificate)),
        ("channel for all", b.Channel("general")),
        ("channel in which admins post", b.Channel("news", b.Level.ADMIN)),
        ("invite without limits", b.Invite(seed("key"), b.Level.MEMBER, False)),
        (
            "invite of a guest with limits",
            b.Invite(seed("key"), b.Level.GUEST, True, (A, B), 30, START_MS, 3),
        ),
        ("admit", admit(TEAM, made, "v", BOB)),
        ("grant", b.Grant(BOB.person, b.Level.MEMBER)),
        ("grant with every field", grant),
        ("delete", b.Delete(A)),
        ("react", b.React(A, "👍", True)),
        ("react taken back", b.React(A, "🏳️‍🌈", False, (B, C))),
        ("set a name", b.Set("name", "Boats")),
        ("set visible", b.Set("visible", True, (A,))),
        ("set a secret", b.Set("secret", seed("secret"))),
        ("set a number of a later version", b.Set("later", 2**63 - 1)),
        ("set to nothing", b.Set("later", None)),
        ("message", b.MessageBody("Hello, *world*")),
        (
            "message with every field",
            b.MessageBody("línea\n二行目", A, B, True, (ANN.person, BOB.person), (b"file",)),
        ),
        ("edit", b.Edit(A, "Hello again", (), (B,))),
        ("call started", b.CallBody(seed("call"), b.CALL_STARTED, True)),
        ("call ended", b.CallBody(seed("call"), b.CALL_ENDED, True, persons, 754)),
        ("recording began", b.RecordingBody(seed("call"), b.RECORDING_BEGAN)),
        ("recording ended", b.RecordingBody(seed("call"), b.RECORDING_ENDED, 723)),
        ("call of a later state", b.CallBody(seed("call"), 2**31, False, (), 2**32 - 1)),
    ]
    return [
        {
            "name": name,
            "kind": body.kind,
            "salt": SALT.hex(),
            "body": describe(body),
            "bytes": encode_body(body, SALT).hex(),
        }
        for name, body in cases
    ]


def certificates() -> list[dict[str, Any]]:
    return [
        {
            "person_seed": seed("person", writer.name).hex(),
            "certificate": describe(read_certificate(writer.certificate)),
            "bytes": writer.certificate.data.hex(),
            "signature": writer.certificate.signature.hex(),
        }
        for writer in (ANN, BOB)
    ]


def entries() -> list[dict[str, Any]]:
    writer = Writer("carl")
    writer.found()
    team = next(iter(writer.logs)).conversation
    writer.write(team, team, b.Set("name", "Boats"))
    writer.write(team, team, b.MessageBody("kept without effect in a team's own log"))
    return [
        {
            "log": describe(entry.log),
            "device_seed": seed("device", "carl", 0).hex(),
            "header": describe(entry.header),
            "bytes": entry.header_bytes.hex(),
            "id": entry.id.hex(),
            "signature": (entry.signature or b"").hex(),
            "body": (entry.body or b"").hex(),
        }
        for entry in writer.entries()
    ]


def frames() -> list[dict[str, Any]]:
    row = f.VectorRow(BOB.device, B, 9, C)
    segment = f.Segment(TEAM, ANN.device, A, 3, (b"h1", b"h2"), bytes(64), (b"body", None))
    cases: list[f.Frame] = [
        f.Hello(1, "0.1.0", "ann's computer", 7000, ("192.0.2.7:7000", "[2001:db8::1]:7000")),
        f.Ping(1),
        f.Pong(2**40),
        f.Bye("bad_signature", "the segment is not signed by its device"),
        f.Digest(seed("digest")),
        f.Digests(((TEAM, seed("digest")),), False),
        f.Vectors(TEAM, (row,), True),
        segment,
        f.Ack(TEAM, ((ANN.device, A, 4, B),)),
        f.Want(TEAM, (A, B)),
        f.Bodies(TEAM, ((A, b"body"),)),
        f.Typing(TEAM, EntryId(ZERO), True),
        f.Presence("dnd", "In a meeting", START_MS),
        f.Addresses(((BOB.device, ("192.0.2.8:7000",)),)),
        f.TeamsWanted(),
        f.Teams((f.TeamRow(TEAM, "Crew", 3, True),)),
        f.Ask(TEAM, "Carl", "It is me, from the dock", seed("n1")),
        f.Asked(TEAM, "waiting", seed("n2")),
        f.Reveal(TEAM, seed("n1")),
        f.Join(TEAM, A, "Carl", bytes(range(64))),
        f.Joined(TEAM, "expired", "This invitation has expired."),
        f.CallState(
            *(seed("call"), TEAM, 7, "joined", f.CALL_MICROPHONE | f.CALL_VIDEO),
            *(START_MS, ANN.person, (BOB.person,)),
        ),
        f.CallOffer(seed("call"), 1, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"),
        f.CallAnswer(seed("call"), 1, "v=0\r\n"),
        f.CallAgain(seed("call"), 1),
        f.CallAct(seed("call"), "remove", BOB.person),
        f.CallReact(seed("call"), "👏"),
        f.CallInk(seed("call"), ANN.device, "stroke", 3, (0, 65535, 300, 40)),
    ]
    return [
        {
            "name": type(frame).__name__,
            "stranger": f.encode(frame)[1] in f.STRANGER_FRAMES,
            "fields": describe(frame),
            "bytes": f.encode(frame).hex(),
        }
        for frame in cases
    ]


def handshakes() -> list[dict[str, Any]]:
    made = []
    for name, key, expected in (
        ("shared key", seed("team secret"), BOB.device),
        ("strangers", None, None),
    ):
        binding = seed("tls certificate")
        nonces = [seed("vector", n) for n in range(4)]
        one = Dialler(
            LinkIdentity(ANN.certificate, ANN.device_key),
            binding,
            key=key,
            expected=expected,
            strangers=key is None,
            nonce=nonces[0],
            random_knock=nonces[1],
        )
        two = Listener(
            LinkIdentity(BOB.certificate, BOB.device_key),
            binding,
            keys=[key] if key else [],
            strangers=key is None,
            nonce=nonces[2],
            random_knock=nonces[3],
        )
        sent = [one.start()]
        sent.append(two.receive(sent[0]).reply or b"")
        sent.append(one.receive(sent[1]).reply or b"")
        last = two.receive(sent[2])
        sent.append(last.reply or b"")
        assert last.proved
        made.append(
            {
                "name": name,
                "binding": binding.hex(),
                "key": key.hex() if key else None,
                "expected": expected.hex() if expected else None,
                "nonces": describe(nonces),
                "certificates": describe([ANN.certificate, BOB.certificate]),
                "device_seeds": [seed("device", n, 0).hex() for n in ("ann", "bob")],
                "frames": describe(sent),
                "link": last.proved.link.hex(),
            }
        )
    return made


def others() -> dict[str, Any]:
    words = read_words((HERE.parents[1] / "resources/words/english.txt").read_text("ascii"))
    link = InviteLink(TEAM, A, seed("invite", "v"), "Crew", ("192.0.2.7:7000", "crew.local:7000"))
    heads = [
        LogHead(LogKey(TEAM, ANN.device, A), 5, B),
        LogHead(LogKey(TEAM, BOB.device, A), 2**32, C),
    ]
    digest = conversation_digest(heads)
    n1, n2, h = seed("n1"), seed("n2"), seed("link")
    return {
        "invite_link": {"fields": describe(link), "text": write_link(link)},
        "invite_key": {"public_key": seed("key").hex(), "key": invite_key(seed("key")).hex()},
        "proof": {
            "seed": seed("invite", "v").hex(),
            "team": TEAM.hex(),
            "invite": A.hex(),
            "certificate": describe(BOB.certificate),
            "proof": make_proof(seed("invite", "v"), TEAM, A, BOB.certificate).hex(),
        },
        "direct": {
            "persons": describe(direct_persons([ANN.person, BOB.person])),
            "id": direct_id([ANN.person, BOB.person]).hex(),
        },
        "digest": {
            "heads": describe(
                [[*head.log, head.sequence, head.id] for head in heads],
            ),
            "digest": digest.hex(),
            "overall": overall_digest([(TEAM, digest), (ConversationId(A), digest)]).hex(),
            "second": A.hex(),
        },
        "words": {
            "person": ANN.person.hex(),
            "person_words": person_words(ANN.person, words),
            "link": h.hex(),
            "persons": describe([ANN.person, BOB.person]),
            "nonces": describe([n1, n2]),
            "commitment": sas_commitment(n1).hex(),
            "sas_words": sas_words(h, ANN.person, BOB.person, n1, n2, words),
        },
    }


def main() -> None:
    """Write every file beside this script."""
    made = {
        "bodies": bodies(),
        "certificates": certificates(),
        "entries": entries(),
        "frames": frames(),
        "handshakes": handshakes(),
        "others": others(),
    }
    for name, cases in made.items():
        text = json.dumps(cases, indent=1, ensure_ascii=False)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
