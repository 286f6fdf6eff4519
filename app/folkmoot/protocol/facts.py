"""Facts for the fold of a team: the signature checks that `domain.fold` may not make itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from folkmoot.domain.bodies import Admit, Body, Genesis, Invite, Open
from folkmoot.domain.entry import Entry
from folkmoot.domain.errors import PeerError
from folkmoot.domain.fold import Fact
from folkmoot.domain.identity import Certificate, SignedCertificate
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.protocol.bodies import decode_body
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.invites import check_proof


def read_facts(
    team: ConversationId,
    entries: Iterable[Entry],
    known: Mapping[EntryId, Fact] | None = None,
) -> dict[EntryId, Fact]:
    """The facts of verified entries of a team's log, with those `known` from before.

    Keep the answer and give it back as `known`: then each signature is checked once. Entries
    without body have no fact (in a team's log only kinds without effect can lack one).
    """
    facts = dict(known or {})
    for entry in entries:
        if entry.id not in facts and entry.body is not None:
            facts[entry.id] = _read(entry, decode_body(entry.header.kind, entry.body))
    for fact in list(facts.values()):
        if isinstance(fact.body, Admit) and fact.proof_ok is None:
            facts[fact.entry_id] = _judge(team, fact, fact.body, facts)
    return facts


def _read(entry: Entry, body: Body) -> Fact:
    certificate = None
    if isinstance(body, Open | Genesis | Admit):
        certificate = _certificate(body.certificate)
    return Fact(entry.id, entry.header, body, certificate)


def _certificate(signed: SignedCertificate) -> Certificate | None:
    try:
        return read_certificate(signed)
    except PeerError:
        return None


def _judge(team: ConversationId, fact: Fact, body: Admit, facts: Mapping[EntryId, Fact]) -> Fact:
    """The fact with its proof judged once the invite is held, for good: its id fixes the key."""
    invite = facts.get(body.invite)
    if invite is None:
        return fact
    good = isinstance(invite.body, Invite) and check_proof(
        invite.body.public_key, team, body.invite, body.certificate, body.proof
    )
    return replace(fact, proof_ok=good)
