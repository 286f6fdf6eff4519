"""Entries and segments: what is made is read, and nothing else is taken."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.writers import START_MS, Writer, seed
from folkmoot.domain.bodies import Body, Channel, Delete, Genesis, MessageBody, Open, Unknown
from folkmoot.domain.direct import direct_id, direct_persons
from folkmoot.domain.entry import MAX_BODY_BYTES, MAX_SEGMENT_ENTRIES, Entry, Header
from folkmoot.domain.errors import PeerError
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey, PersonId
from folkmoot.domain.timestamps import Stamp
from folkmoot.protocol.bodies import decode_body, encode_body
from folkmoot.protocol.codec import pack
from folkmoot.protocol.entries import (
    body_hash,
    check_body,
    decode_header,
    encode_header,
    entry_id,
    make_entry,
    verify_segment,
)
from folkmoot.protocol.keys import LABEL_ENTRY

ANN, EVE = Writer("ann"), Writer("eve")
TEAM = ANN.found().id
for number in range(4):
    ANN.write(TEAM, TEAM, MessageBody(f"message {number}"))
LOG = LogKey(ConversationId(TEAM), ANN.device, TEAM)
HELD = ANN.logs[LOG]


def verify(
    entries: list[Entry],
    *,
    log: LogKey = LOG,
    first: int = 1,
    previous: bytes = ZERO,
    headers: list[bytes] | None = None,
    bodies: list[bytes | None] | None = None,
    signature: bytes | None = None,
) -> list[Entry]:
    return verify_segment(
        log,
        first,
        [e.header_bytes for e in entries] if headers is None else headers,
        (entries[-1].signature or b"") if signature is None else signature,
        [e.body for e in entries] if bodies is None else bodies,
        EntryId(previous),
    )


def code(run: Callable[[], object]) -> str:
    with pytest.raises(PeerError) as caught:
        run()
    assert caught.value.message
    return caught.value.code


def signed(header: Header, body: bytes | None, writer: Writer = ANN) -> Entry:
    """An entry signed by its device, whatever it says."""
    data = encode_header(header)
    return Entry(entry_id(data), header, data, writer.device_key.sign(LABEL_ENTRY, data), body)


def test_a_segment_is_read_as_it_was_made() -> None:
    read = verify(HELD)
    assert [e.id for e in read] == [e.id for e in HELD]
    assert [e.signature is None for e in read] == [True] * 4 + [False]
    assert read[-1] == HELD[-1]


def test_a_segment_may_begin_anywhere_after_what_is_held() -> None:
    assert verify(HELD[2:], first=3, previous=HELD[1].id)[0].header.sequence == 3


def test_a_gap_a_repetition_or_another_order_is_refused() -> None:
    assert code(lambda: verify([HELD[0], HELD[2]])) == "bad_chain"
    assert code(lambda: verify([HELD[0], HELD[0]])) == "bad_chain"
    assert code(lambda: verify([HELD[1], HELD[0]])) == "bad_chain"
    assert code(lambda: verify(HELD[1:])) == "bad_chain"
    assert code(lambda: verify(HELD[2:], first=3, previous=HELD[0].id)) == "bad_chain"


def test_a_segment_for_another_log_is_refused() -> None:
    other = ConversationId(seed("other"))
    assert code(lambda: verify(HELD, log=LOG._replace(conversation=other))) == "wrong_log"
    assert code(lambda: verify(HELD, log=LOG._replace(grant=EntryId(other)))) == "wrong_log"
    assert code(lambda: verify(HELD, log=LOG._replace(device=EVE.device))) == "bad_signature"


def test_a_segment_signed_by_another_device_is_refused() -> None:
    forged = EVE.device_key.sign(LABEL_ENTRY, HELD[-1].header_bytes)
    assert code(lambda: verify(HELD, signature=forged)) == "bad_signature"
    assert code(lambda: verify(HELD, signature=b"")) == "bad_signature"


def test_the_signature_of_an_entry_is_none_under_another_label() -> None:
    other = ANN.device_key.sign("folkmoot/other/1", HELD[-1].header_bytes)
    assert code(lambda: verify(HELD, signature=other)) == "bad_signature"


def test_an_earlier_entry_that_was_not_signed_here_is_refused() -> None:
    strange = replace(HELD[1].header, wall_ms=1)
    swapped = [HELD[0].header_bytes, encode_header(strange), *(e.header_bytes for e in HELD[2:])]
    assert code(lambda: verify(HELD, headers=swapped)) == "bad_chain"


def test_a_body_that_is_not_the_one_named_is_refused() -> None:
    swapped = [e.body for e in HELD]
    swapped[2], swapped[3] = swapped[3], swapped[2]
    assert code(lambda: verify(HELD, bodies=swapped)) == "bad_hash"
    longer = [*swapped[:4], bytes(MAX_BODY_BYTES + 1)]
    swapped[2], swapped[3] = swapped[3], swapped[2]
    assert code(lambda: check_body(HELD[1].header, bytes(MAX_BODY_BYTES + 1))) == "too_large"
    assert len(longer) == 5


def test_a_message_may_come_without_its_body_and_an_open_may_not() -> None:
    without: list[bytes | None] = [HELD[0].body, None, None, None, None]
    assert verify(HELD, bodies=without)[1].body is None
    without[0] = None
    assert code(lambda: verify(HELD, bodies=without)) == "missing_body"


def test_counts_of_headers_and_bodies_are_bounded_and_agree() -> None:
    one = HELD[0]
    assert code(lambda: verify(HELD, headers=[], bodies=[])) == "bad_segment"
    assert code(lambda: verify(HELD, bodies=[one.body])) == "bad_segment"
    many = [one] * (MAX_SEGMENT_ENTRIES + 1)
    assert code(lambda: verify(many)) == "bad_segment"
    assert code(lambda: verify(HELD, headers=[bytes(257)] * 5)) == "too_large"


def body_in(kind_body: Body, sequence: int = 1, previous: bytes = ZERO) -> Entry:
    return make_entry(
        ANN.device_key,
        conversation=LOG.conversation,
        grant=LOG.grant,
        sequence=sequence,
        previous=EntryId(previous),
        stamp=Stamp(START_MS, 0),
        body=kind_body,
        salt=bytes(16),
    )


def test_a_log_begins_with_an_open_and_has_no_other() -> None:
    assert code(lambda: verify([body_in(MessageBody("first"))])) == "bad_open"
    again = body_in(Open(ANN.certificate), 2, HELD[0].id)
    assert code(lambda: verify([HELD[0], again])) == "bad_open"


def test_an_open_with_the_certificate_of_another_device_is_refused() -> None:
    assert code(lambda: verify([body_in(Open(EVE.certificate))])) == "bad_open"


def test_an_open_with_a_forged_certificate_is_refused() -> None:
    forged = SignedCertificate(ANN.certificate.data, EVE.certificate.signature)
    assert code(lambda: verify([body_in(Open(forged))])) == "bad_signature"


def test_a_genesis_is_the_only_entry_of_its_log_and_names_no_conversation() -> None:
    genesis = ANN.logs[LogKey(ConversationId(TEAM), ANN.device, EntryId(ZERO))][0]
    log = genesis.log
    assert verify([genesis], log=log)[0].id == TEAM
    after = signed(replace(HELD[1].header, grant=log.grant, previous=genesis.id), HELD[1].body)
    assert code(lambda: verify([genesis, after], log=log)) == "bad_open"
    assert code(lambda: verify([after], log=log, first=2, previous=genesis.id)) == "bad_open"
    other = log._replace(conversation=ConversationId(seed("x")))
    assert code(lambda: verify([genesis], log=other)) == "wrong_log"
    inside = body_in(Genesis("In here", ANN.certificate))
    assert code(lambda: verify([inside])) == "wrong_log"
    nowhere = signed(replace(HELD[0].header, conversation=ConversationId(ZERO)), HELD[0].body)
    home = LOG._replace(conversation=ConversationId(ZERO))
    assert code(lambda: verify([nowhere], log=home)) == "wrong_log"


def test_the_open_of_a_direct_conversation_hashes_to_it() -> None:
    persons = direct_persons([EVE.person, ANN.person])
    log = LogKey(direct_id(persons), ANN.device, EntryId(ZERO))

    def opened(who: tuple[PersonId, ...], log: LogKey = log) -> Entry:
        body = replace(Open(ANN.certificate), persons=who)
        return make_entry(
            ANN.device_key,
            conversation=log.conversation,
            grant=log.grant,
            sequence=1,
            previous=EntryId(ZERO),
            stamp=Stamp(START_MS, 0),
            body=body,
            salt=bytes(16),
        )

    assert verify([opened(persons)], log=log)
    stranger = log._replace(conversation=direct_id([EVE.person, Writer("bob").person]))
    others = direct_persons([EVE.person, Writer("bob").person])
    assert code(lambda: verify([opened(persons, stranger)], log=stranger)) == "bad_open"
    assert code(lambda: verify([opened(others, stranger)], log=stranger)) == "bad_open"
    assert code(lambda: verify([opened(())], log=log)) == "bad_open"
    assert code(lambda: opened(persons[::-1])) == "bad_body"
    assert code(lambda: opened((ANN.person,))) == "bad_body"


# --- headers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 0},
        {"sequence": 1},
        {"previous": EntryId(ZERO)},
        {"counter": 2**32},
        {"kind": 0},
        {"kind": 2**16},
    ],
)
def test_a_header_out_of_its_bounds_is_refused(change: dict[str, int]) -> None:
    data = encode_header(replace(HELD[1].header, **change))  # type: ignore[arg-type]
    assert code(lambda: decode_header(data)) == "bad_header"


def test_a_header_in_another_form_is_refused() -> None:
    data = HELD[1].header_bytes
    assert decode_header(data) == HELD[1].header
    assert data[:2] == b"\x9a\x01"
    longer = b"\x9a\xcc\x01" + data[2:]
    assert code(lambda: decode_header(longer)) == "not_canonical"
    assert code(lambda: decode_header(b"\x9b" + data[1:] + b"\0")) == "not_canonical"
    assert code(lambda: decode_header(data + b"\0")) == "not_canonical"
    assert code(lambda: decode_header(b"\x9a\x02" + data[2:])) == "bad_header"


@given(st.integers(0, 4), st.data())
def test_an_entry_with_any_bit_changed_is_refused(index: int, data: st.DataObject) -> None:
    headers = [bytearray(e.header_bytes) for e in HELD]
    bodies = [bytearray(e.body or b"") for e in HELD]
    signature = bytearray(HELD[-1].signature or b"")
    part = data.draw(st.sampled_from([headers[index], bodies[index], signature]))
    part[data.draw(st.integers(0, len(part) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(PeerError):
        verify_segment(
            LOG,
            1,
            [bytes(h) for h in headers],
            bytes(signature),
            [bytes(b) for b in bodies],
            EntryId(ZERO),
        )


@given(st.binary(max_size=300))
def test_random_bytes_are_no_header(garbage: bytes) -> None:
    with pytest.raises(PeerError):
        decode_header(garbage)


# --- bodies ------------------------------------------------------------------------------------


def outcome(kind: int, data: bytes) -> str:
    try:
        decode_body(kind, data)
    except PeerError as error:
        return error.code
    return "read"


@given(st.sampled_from([*range(1, 20), 64, 65, 66, 9999]), st.binary(max_size=200))
def test_random_bytes_as_a_body_raise_nothing_but_a_peer_error(kind: int, garbage: bytes) -> None:
    for data in (garbage, b"\x97\xc4\x10" + bytes(16) + garbage):
        assert outcome(kind, data) in ("read", "bad_body", "not_canonical")


@pytest.mark.parametrize("kind", [1, 2, 4, 5, 6, 7, 13, 14, 15, 64, 65, 66, 70])
def test_a_claim_of_a_huge_array_costs_nothing(kind: int) -> None:
    ids = b"\xc4\x20" + bytes(32)
    for claim in (b"\xdd\x0f\xff\xff\xff", b"\xdc\xff\xff", b"\xc6\x7f\xff\xff\xff"):
        for before in range(8):
            data = b"\x98\xc4\x10" + bytes(16) + ids * before + claim
            tracemalloc.start()
            with pytest.raises(PeerError):
                decode_body(kind, data)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 100_000


def test_later_fields_are_kept_and_have_no_effect() -> None:
    data = pack([bytes(16), bytes(32), "a later field", [1, [2, b"x"]]])
    assert decode_body(13, data) == Delete(EntryId(ZERO))
    header = replace(HELD[1].header, kind=13, body_hash=body_hash(data))
    entry = signed(header, data)
    assert verify([HELD[0], entry])[1].body == data


def test_a_kind_that_is_not_known_is_kept_if_it_is_canonical_and_salted() -> None:
    data = pack([bytes(16), "anything", [1, 2, [3]]])
    assert decode_body(9999, data) == Unknown(9999)
    assert code(lambda: decode_body(9999, pack([b"short"]))) == "bad_body"
    assert code(lambda: decode_body(9999, pack("text"))) == "bad_body"
    assert code(lambda: decode_body(9999, b"\x92\xc4\x10" + bytes(16) + b"\x80")) == "not_canonical"
    deep = b"\x92\xc4\x10" + bytes(16) + b"\x91" * 8 + b"\x01"
    assert code(lambda: decode_body(9999, deep)) == "not_canonical"


@pytest.mark.parametrize(
    "body",
    [
        MessageBody("a\0b"),
        MessageBody("x" * (24 * 1024 + 1)),
        MessageBody("x", mentions=(ANN.person,) * 201),
        MessageBody("x", files=(bytes(1025),)),
        MessageBody("x", thread=EntryId(b"short")),
        Channel("", posts=0),  # type: ignore[arg-type]
        Channel(" padded "),
        Channel("two\nlines"),
        Channel("x" * 81),
        Channel("right\u202eleft"),
        Channel("x", posts=4),  # type: ignore[arg-type]
        Genesis("\u200b", ANN.certificate),
    ],
)
def test_a_body_out_of_its_bounds_is_not_made(body: Body) -> None:
    assert code(lambda: encode_body(body, bytes(16))) == "bad_body"


def test_the_largest_message_fits_into_a_body() -> None:
    body = MessageBody("x" * (24 * 1024), mentions=(ANN.person,) * 200)
    assert len(encode_body(body, bytes(16))) <= MAX_BODY_BYTES
