"""The golden vectors: what is on the wire today is read and written tomorrow, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders.describing import describe
from folkmoot.domain.bodies import Body
from folkmoot.domain.direct import direct_id
from folkmoot.domain.entry import LogHead
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.bodies import decode_body, encode_body
from folkmoot.protocol.certificates import make_certificate, read_certificate
from folkmoot.protocol.digest import conversation_digest, overall_digest
from folkmoot.protocol.entries import decode_header, encode_header, entry_id, verify_segment
from folkmoot.protocol.handshake import Dialler, LinkIdentity, Listener
from folkmoot.protocol.invites import check_proof, invite_key, make_proof, read_link, write_link
from folkmoot.protocol.keys import LABEL_ENTRY, Signer
from folkmoot.protocol.words import person_words, read_words, sas_commitment, sas_words
from folkmoot.resources import resource_path

FOLDER = Path(__file__).parents[2] / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def signed(case: dict[str, str]) -> SignedCertificate:
    return SignedCertificate(raw(case["data"]), raw(case["signature"]))


@pytest.mark.parametrize("case", load("bodies"), ids=lambda case: case["name"])
def test_a_body_is_read_and_written_as_ever(case: dict[str, Any]) -> None:
    body: Body = decode_body(case["kind"], raw(case["bytes"]))
    assert describe(body) == case["body"]
    assert encode_body(body, raw(case["salt"])).hex() == case["bytes"]


def test_every_kind_with_effect_has_a_vector() -> None:
    assert {case["kind"] for case in load("bodies")} == {
        1,
        2,
        4,
        5,
        6,
        7,
        13,
        14,
        15,
        64,
        65,
        66,
        67,
    }


@pytest.mark.parametrize("case", load("certificates"))
def test_a_certificate_is_read_and_signed_as_ever(case: dict[str, Any]) -> None:
    held = SignedCertificate(raw(case["bytes"]), raw(case["signature"]))
    read = read_certificate(held)
    assert describe(read) == case["certificate"]
    person = Signer(raw(case["person_seed"]))
    assert person.public == read.person
    again = make_certificate(person, read.device, read.seal_key, read.name, read.created_ms)
    assert again == held


@pytest.mark.parametrize("case", load("entries"))
def test_a_header_is_read_hashed_and_signed_as_ever(case: dict[str, Any]) -> None:
    header = decode_header(raw(case["bytes"]))
    assert describe(header) == case["header"]
    assert encode_header(header).hex() == case["bytes"]
    assert entry_id(raw(case["bytes"])).hex() == case["id"]
    signer = Signer(raw(case["device_seed"]))
    assert signer.sign(LABEL_ENTRY, raw(case["bytes"])).hex() == case["signature"]
    conversation, device, grant = map(raw, case["log"])
    log = LogKey(ConversationId(conversation), DeviceId(device), EntryId(grant))
    entry = verify_segment(
        log,
        header.sequence,
        [raw(case["bytes"])],
        raw(case["signature"]),
        [raw(case["body"])],
        header.previous,
    )[0]
    assert entry.log == log


@pytest.mark.parametrize("case", load("frames"), ids=lambda case: case["name"])
def test_a_frame_is_read_and_written_as_ever(case: dict[str, Any]) -> None:
    frame = frames.decode(raw(case["bytes"]), stranger=case["stranger"])
    assert type(frame).__name__ == case["name"]
    assert describe(frame) == case["fields"]
    assert frames.encode(frame).hex() == case["bytes"]


def test_every_frame_has_a_vector() -> None:
    types = [raw(case["bytes"])[1] for case in load("frames")]
    assert types == [1, 2, 3, 4, *range(16, 23), 32, 33, 34, *range(48, 55), *range(64, 71)]
    strangers = {raw(c["bytes"])[1] for c in load("frames") if c["stranger"]}
    assert strangers == {1, 2, 3, 4, *range(48, 55)}


@pytest.mark.parametrize("case", load("handshakes"), ids=lambda case: case["name"])
def test_a_handshake_goes_as_ever(case: dict[str, Any]) -> None:
    nonces = [raw(nonce) for nonce in case["nonces"]]
    ends = [
        LinkIdentity(signed(certificate), Signer(raw(seed)))
        for certificate, seed in zip(case["certificates"], case["device_seeds"], strict=True)
    ]
    key = raw(case["key"]) if case["key"] else None
    expected = DeviceId(raw(case["expected"])) if case["expected"] else None
    one = Dialler(
        ends[0],
        raw(case["binding"]),
        key=key,
        expected=expected,
        strangers=key is None,
        nonce=nonces[0],
        random_knock=nonces[1],
    )
    two = Listener(
        ends[1],
        raw(case["binding"]),
        keys=[key] if key else [],
        strangers=key is None,
        nonce=nonces[2],
        random_knock=nonces[3],
    )
    sent = [raw(frame) for frame in case["frames"]]
    assert one.start() == sent[0]
    assert two.receive(sent[0]).reply == sent[1]
    assert one.receive(sent[1]).reply == sent[2]
    last = two.receive(sent[2])
    assert last.reply == sent[3]
    end = one.receive(sent[3])
    assert last.proved
    assert end.proved
    assert last.proved.link.hex() == end.proved.link.hex() == case["link"]


def test_an_invitation_link_is_read_and_written_as_ever() -> None:
    case = load("others")["invite_link"]
    link = read_link(case["text"])
    assert describe(link) == case["fields"]
    assert write_link(link) == case["text"]


def test_a_proof_of_an_invitation_is_made_as_ever() -> None:
    case = load("others")["proof"]
    team, invite = ConversationId(raw(case["team"])), EntryId(raw(case["invite"]))
    proof = make_proof(raw(case["seed"]), team, invite, signed(case["certificate"]))
    assert proof.hex() == case["proof"]
    public = Signer(raw(case["seed"])).public
    assert check_proof(public, team, invite, signed(case["certificate"]), proof)
    key = load("others")["invite_key"]
    assert invite_key(raw(key["public_key"])).hex() == key["key"]


def test_hashes_of_conversations_and_logs_are_as_ever() -> None:
    direct, case = load("others")["direct"], load("others")["digest"]
    persons = [PersonId(raw(person)) for person in direct["persons"]]
    assert direct_id(reversed(persons)).hex() == direct["id"]
    heads = [
        LogHead(
            LogKey(ConversationId(raw(c)), DeviceId(raw(d)), EntryId(raw(g))), n, EntryId(raw(i))
        )
        for c, d, g, n, i in case["heads"]
    ]
    digest = conversation_digest(reversed(heads))
    assert digest.hex() == case["digest"]
    both = [(heads[0].log.conversation, digest), (ConversationId(raw(case["second"])), digest)]
    assert overall_digest(reversed(both)).hex() == case["overall"]


def test_words_are_as_ever() -> None:
    case = load("others")["words"]
    words = read_words(resource_path("words/english.txt").read_text("ascii"))
    persons = [PersonId(raw(person)) for person in case["persons"]]
    n1, n2 = map(raw, case["nonces"])
    assert list(person_words(persons[0], words)) == case["person_words"]
    assert sas_commitment(n1).hex() == case["commitment"]
    spoken = sas_words(raw(case["link"]), persons[0], persons[1], n1, n2, words)
    assert list(spoken) == case["sas_words"]
    assert spoken != sas_words(raw(case["link"]), persons[1], persons[0], n1, n2, words)
