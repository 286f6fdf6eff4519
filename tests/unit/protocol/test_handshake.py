"""The handshake, with attackers on both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.writers import Writer, seed
from folkmoot.domain.errors import PeerError
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.codec import pack, unpack
from folkmoot.protocol.handshake import (
    MAX_HANDSHAKE_FRAME_BYTES,
    MAX_KEYS,
    Dialler,
    LinkIdentity,
    Listener,
    Proved,
)

KEY = seed("team secret")
TLS = seed("tls certificate")
ANN, BOB, EVE = Writer("ann"), Writer("bob"), Writer("eve")


def me(writer: Writer) -> LinkIdentity:
    return LinkIdentity(writer.certificate, writer.device_key)


def dialler(
    writer: Writer = ANN,
    *,
    key: bytes | None = KEY,
    expected: DeviceId | None = None,
    strangers: bool = False,
    binding: bytes = TLS,
    run: int = 0,
) -> Dialler:
    return Dialler(
        me(writer),
        binding,
        key=key,
        expected=expected,
        strangers=strangers,
        nonce=seed("dial nonce", run),
        random_knock=seed("dial knock", run),
    )


def listener(
    writer: Writer = BOB,
    *,
    keys: tuple[bytes, ...] = (KEY,),
    strangers: bool = False,
    binding: bytes = TLS,
    run: int = 0,
) -> Listener:
    return Listener(
        me(writer),
        binding,
        keys=keys,
        strangers=strangers,
        nonce=seed("listen nonce", run),
        random_knock=seed("listen knock", run),
    )


@dataclass
class Run:
    """The four frames of a handshake and what each side proved."""

    frames: list[bytes]
    dialler: Proved
    listener: Proved


def shake(one: Dialler, two: Listener) -> Run:
    first = one.start()
    second = two.receive(first).reply
    assert second
    third = one.receive(second).reply
    assert third
    last = two.receive(third)
    assert last.reply
    assert last.proved
    end = one.receive(last.reply)
    assert end.reply is None
    assert end.proved
    return Run([first, second, third, last.reply], end.proved, last.proved)


def refused(machine: Dialler | Listener, frame: bytes) -> str:
    """The code with which a machine refuses a frame; it takes nothing afterwards."""
    with pytest.raises(PeerError) as caught:
        machine.receive(frame)
    with pytest.raises(PeerError, match="no frame"):
        machine.receive(frame)
    return caught.value.code


def reply(machine: Dialler | Listener, frame: bytes) -> bytes:
    step = machine.receive(frame)
    assert step.reply
    return step.reply


def test_two_who_share_a_key_prove_their_devices_to_each_other() -> None:
    run = shake(dialler(), listener(keys=(seed("other"), KEY)))
    assert run.dialler.certificate.device == BOB.device
    assert run.listener.certificate.device == ANN.device
    assert run.listener.certificate.person == ANN.person
    assert (run.dialler.key_index, run.listener.key_index) == (0, 1)
    assert run.dialler.link == run.listener.link
    assert not run.dialler.stranger


def test_every_handshake_has_another_link_hash() -> None:
    runs = [shake(dialler(run=n), listener(run=n)) for n in range(2)]
    assert runs[0].dialler.link != runs[1].dialler.link


def test_a_stranger_gets_no_answer_from_who_is_not_open() -> None:
    assert refused(listener(), dialler(EVE, key=None, strangers=True).start()) == "stranger"
    assert refused(listener(), dialler(EVE, key=seed("guess")).start()) == "stranger"


def test_who_is_open_to_strangers_makes_a_stranger_link() -> None:
    run = shake(dialler(EVE, key=None, strangers=True), listener(strangers=True))
    assert run.listener.stranger
    assert run.dialler.stranger


def test_a_dialler_shows_nothing_of_itself_to_who_does_not_know_the_key() -> None:
    one = dialler(key=KEY)
    first = one.start()
    assert first.find(ANN.device) == -1
    second = reply(listener(EVE, keys=(), strangers=True), first)
    assert refused(one, second) == "unknown_listener"


def test_a_dialler_who_wants_strangers_goes_on_without_a_match() -> None:
    run = shake(dialler(key=KEY, strangers=True), listener(keys=(), strangers=True))
    assert run.dialler.stranger
    assert run.listener.stranger


def test_only_the_expected_device_is_taken() -> None:
    shake(dialler(expected=BOB.device), listener())
    one, two = dialler(expected=EVE.device), listener()
    third = reply(one, reply(two, one.start()))
    assert refused(two, third) == "wrong_device"


def test_a_member_who_answers_for_an_expected_device_is_refused_by_the_dialler() -> None:
    one, two = dialler(expected=BOB.device), listener(EVE)
    third = reply(one, reply(two, one.start()))
    frame = unpack(third, MAX_HANDSHAKE_FRAME_BYTES)
    frame[1] = EVE.device
    assert refused(two, pack(frame)) == "bad_signature"
    one = dialler(expected=BOB.device)
    reply(one, reply(listener(EVE), one.start()))
    own = shake(dialler(), listener(EVE)).frames[3]
    assert refused(one, own) == "wrong_device"


def test_a_relaying_attacker_is_refused_by_both() -> None:
    """Eve holds two TLS connections, knows the team's key, and relays the frames unchanged."""
    one, two = dialler(binding=seed("eve's tls")), listener(binding=TLS)
    assert refused(two, one.start()) == "stranger"
    one, two = dialler(binding=seed("eve's tls"), strangers=True), listener(strangers=True)
    first = one.start()
    second = reply(two, first)
    third = reply(one, second)
    assert refused(two, third) == "bad_signature"
    honest = shake(dialler(), listener()).frames[3]
    assert refused(one, honest) == "bad_signature"


def test_a_relaying_insider_who_makes_the_knocks_anew_is_refused_by_both() -> None:
    """Eve is a member: she makes right knocks for both sides, and still has no proof to give."""
    eve_tls = seed("eve's tls")
    one, two = dialler(binding=eve_tls), listener(binding=TLS)
    to_ann = listener(EVE, binding=eve_tls)
    to_bob = dialler(EVE, binding=TLS)
    ann_proof = reply(one, reply(to_ann, one.start()))
    bob_hello = reply(two, to_bob.start())
    reply(to_bob, bob_hello)
    assert refused(two, ann_proof) == "bad_signature"
    assert refused(one, shake(dialler(), listener()).frames[3]) == "bad_signature"


def test_frames_of_an_earlier_handshake_are_refused() -> None:
    old = shake(dialler(run=1), listener(run=1)).frames
    two = listener(run=2)
    reply(two, old[0])
    assert refused(two, old[2]) == "bad_signature"
    one = dialler(run=2)
    one.start()
    assert refused(one, old[1]) == "unknown_listener"
    one = dialler(run=2)
    reply(one, reply(listener(run=2), one.start()))
    assert refused(one, old[3]) == "bad_signature"


def test_reflected_frames_are_refused() -> None:
    one = dialler(strangers=True)
    assert refused(one, one.start()) == "bad_frame"
    one = dialler(strangers=True)
    third = reply(one, reply(listener(), one.start()))
    assert refused(one, third) == "bad_frame"
    frame = unpack(third, MAX_HANDSHAKE_FRAME_BYTES)
    one = dialler(strangers=True)
    reply(one, reply(listener(), one.start()))
    assert refused(one, pack([frame[0], frame[2]])) == "own_device"


def test_a_reflected_knock_does_not_match() -> None:
    one = dialler()
    hello = unpack(one.start(), MAX_HANDSHAKE_FRAME_BYTES)
    assert refused(one, pack([1, hello[1], hello[2]])) == "unknown_listener"


def test_a_proof_of_one_role_is_none_of_the_other() -> None:
    """Eve turns the dialler's signature into a listener's, and the other way round."""
    run = shake(dialler(EVE, run=3), listener(run=3))
    one = dialler(run=4)
    third = unpack(reply(one, reply(listener(run=4), one.start())), 4096)
    swapped = pack([unpack(run.frames[2], 4096)[0], third[2]])
    assert refused(one, swapped) == "bad_signature"


def test_a_certificate_of_another_device_does_not_help() -> None:
    one, two = dialler(EVE), listener()
    third = unpack(reply(one, reply(two, one.start())), 4096)
    third[0] = [ANN.certificate.data, ANN.certificate.signature]
    assert refused(two, pack(third)) == "bad_signature"


def test_a_certificate_that_its_person_did_not_sign_is_refused() -> None:
    forged = SignedCertificate(ANN.certificate.data, EVE.certificate.signature)
    one = Dialler(
        replace(me(EVE), certificate=forged),
        TLS,
        key=KEY,
        expected=None,
        strangers=False,
        nonce=seed("n"),
        random_knock=seed("k"),
    )
    two = listener()
    assert refused(two, reply(one, reply(two, one.start()))) == "bad_signature"


def test_oneself_is_refused_on_both_sides() -> None:
    one, two = dialler(BOB), listener(BOB)
    third = reply(one, reply(two, one.start()))
    assert refused(two, third) == "own_device"
    one = dialler(BOB)
    reply(one, reply(listener(), one.start()))
    assert refused(one, shake(dialler(), listener(BOB)).frames[3]) == "own_device"


def test_a_version_that_is_not_spoken_is_refused() -> None:
    hello = unpack(dialler().start(), 4096)
    assert refused(listener(), pack([[2, 3], *hello[1:]])) == "bad_version"
    one = dialler()
    answer = unpack(reply(listener(), one.start()), 4096)
    assert refused(one, pack([2, *answer[1:]])) == "bad_version"
    assert reply(listener(strangers=True), pack([[2, 1], *hello[1:]]))


def test_a_changed_list_of_versions_breaks_the_proofs() -> None:
    one, two = dialler(), listener()
    hello = unpack(one.start(), 4096)
    third = reply(one, reply(two, pack([[1, 2], *hello[1:]])))
    assert refused(two, third) == "bad_signature"


def test_frames_out_of_order_are_refused() -> None:
    run = shake(dialler(), listener())
    assert refused(listener(), run.frames[2]) == "bad_frame"
    assert refused(dialler(), run.frames[1]) == "out_of_order"
    one = dialler()
    one.start()
    with pytest.raises(PeerError, match="twice"):
        one.start()


def test_after_the_end_nothing_more_is_taken() -> None:
    one, two = dialler(), listener()
    run = shake(one, two)
    for frame in run.frames:
        for machine in (one, two):
            with pytest.raises(PeerError) as caught:
                machine.receive(frame)
            assert caught.value.code == "out_of_order"


def test_oversized_frames_are_refused() -> None:
    assert refused(listener(), bytes(MAX_HANDSHAKE_FRAME_BYTES + 1)) == "too_large"
    one = dialler()
    one.start()
    assert refused(one, bytes(MAX_HANDSHAKE_FRAME_BYTES + 1)) == "too_large"


def test_only_a_bounded_number_of_keys_is_tried() -> None:
    many = tuple(seed(number) for number in range(MAX_KEYS))
    assert refused(listener(keys=(*many, KEY)), dialler().start()) == "stranger"


def feed(position: int, frame: bytes) -> None:
    """Give a frame of a running handshake to the side that waits for it."""
    one, two = dialler(), listener()
    first = one.start()
    if position == 0:
        two.receive(frame)
        two.receive(reply(one, reply(listener(), first)))
        return
    second = reply(two, first)
    if position == 1:
        two.receive(reply(one, frame))
        return
    third = reply(one, second)
    if position == 2:
        two.receive(frame)
        return
    two.receive(third)
    one.receive(frame)


FRAMES = shake(dialler(), listener()).frames


@given(st.integers(0, 3), st.data())
def test_a_frame_with_any_bit_changed_or_cut_short_is_refused(
    position: int, data: st.DataObject
) -> None:
    frame = FRAMES[position]
    at = data.draw(st.integers(0, len(frame) - 1))
    changed = bytearray(frame)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    for bad in (bytes(changed), frame[:at], frame + b"\0"):
        with pytest.raises(PeerError):
            feed(position, bad)


@given(st.integers(0, 3), st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_a_peer_error(position: int, garbage: bytes) -> None:
    with pytest.raises(PeerError):
        feed(position, garbage)
