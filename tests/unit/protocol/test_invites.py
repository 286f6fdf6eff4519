"""Invitation links and proofs."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from builders.writers import Writer, seed
from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.codec import pack
from folkmoot.protocol.invites import (
    LINK_PREFIX,
    InviteLink,
    addresses_for_link,
    check_proof,
    make_proof,
    read_link,
    write_link,
)
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.words import read_words

TEAM, INVITE = ConversationId(seed("team")), EntryId(seed("invite"))
LINK = InviteLink(TEAM, INVITE, seed("s"), "Crew", ("192.0.2.7:7000",))


def as_link(value: object) -> str:
    return LINK_PREFIX + base64.urlsafe_b64encode(pack(value)).rstrip(b"=").decode()


def test_a_link_is_read_with_spaces_around_it() -> None:
    assert read_link(f"  {write_link(LINK)}\n") == LINK


def test_a_link_carries_at_most_eight_addresses() -> None:
    many = InviteLink(TEAM, INVITE, seed("s"), "Crew", tuple(f"h:{n}" for n in range(1, 12)))
    assert read_link(write_link(many)).addresses == many.addresses[:8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/join/abc",
        LINK_PREFIX,
        LINK_PREFIX + "???",
        LINK_PREFIX + "é",
        write_link(LINK)[:-1],
        write_link(LINK) + "A",
        write_link(LINK)[:-4] + "AAAA" * 2000,
        as_link([2, TEAM, INVITE, seed("s"), "Crew", []]),
        as_link([1, TEAM, INVITE, b"short", "Crew", []]),
        as_link([1, TEAM, INVITE, seed("s"), "Cr\u202eew", []]),
        as_link([1, TEAM, INVITE, seed("s"), "Crew", ["a:1"] * 9]),
        as_link([1, TEAM, INVITE, seed("s"), "Crew", [], 0]),
    ],
)
def test_a_wrong_or_damaged_link_is_said_to_be_one(text: str) -> None:
    with pytest.raises(UserError) as caught:
        read_link(text)
    assert caught.value.code == "wrong_invitation"
    assert caught.value.hint


def test_a_proof_holds_for_one_team_invitation_and_certificate_only() -> None:
    ann, bob = Writer("ann").certificate, Writer("bob").certificate
    public = Signer(seed("s")).public
    proof = make_proof(seed("s"), TEAM, INVITE, ann)
    assert check_proof(public, TEAM, INVITE, ann, proof)
    assert not check_proof(public, TEAM, INVITE, bob, proof)
    assert not check_proof(public, ConversationId(INVITE), INVITE, ann, proof)
    assert not check_proof(public, TEAM, EntryId(TEAM), ann, proof)
    assert not check_proof(Signer(seed("t")).public, TEAM, INVITE, ann, proof)
    assert not check_proof(b"short", TEAM, INVITE, ann, proof)
    assert not check_proof(public, TEAM, INVITE, ann, proof[:-1])


def test_a_certificate_is_taken_only_from_its_person_and_with_an_allowed_name() -> None:
    ann, bob = Writer("ann"), Writer("bob")
    assert read_certificate(ann.certificate).person == ann.person
    swapped = SignedCertificate(ann.certificate.data, bob.certificate.signature)
    with pytest.raises(PeerError) as caught:
        read_certificate(swapped)
    assert caught.value.code == "bad_signature"
    for version, name in ((2, "computer"), (1, ""), (1, "a\nb"), (1, "x" * 81)):
        data = pack([version, ann.person, ann.device, bytes(32), name, 0])
        signature = ann.person_key.sign("folkmoot/device/1", data)
        with pytest.raises(PeerError) as caught:
            read_certificate(SignedCertificate(data, signature))
        assert caught.value.code == "bad_certificate"


def test_a_word_list_has_2048_different_words() -> None:
    for text in ("", "one two three", "same " * 2048):
        with pytest.raises(ValueError, match="2048"):
            read_words(text)


def test_servers_stand_behind_the_computers_and_there_is_room_for_some_of_both() -> None:
    computers = [f"10.0.0.{number}:7000" for number in range(8)]
    servers = [f"wss://s{number}.example.org" for number in range(8)]
    assert addresses_for_link(computers, []) == tuple(computers)
    assert addresses_for_link([], servers) == tuple(servers)
    assert addresses_for_link(computers, servers) == (*computers[:4], *servers[:4])
    assert addresses_for_link(computers, servers[:2]) == (*computers[:6], *servers[:2])
    assert addresses_for_link(computers[:1], servers) == (*computers[:1], *servers[:7])


def test_a_link_tells_servers_and_computers_apart() -> None:
    addresses = ("10.0.0.1:7000", "wss://talk.example.org", "ws://10.0.0.5:8480")
    read = read_link(write_link(replace(LINK, addresses=addresses)))
    assert read.computers == addresses[:1]
    assert read.servers == addresses[1:]
