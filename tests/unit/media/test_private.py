"""The private parts of aiortc that are overridden are there, and their absence is loud."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aioice.ice
import aiortc
import pytest
from aiortc import RTCRtpSender
from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPsfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
)

from folkmoot.media import private


def test_this_version_has_every_part() -> None:
    private.check()
    assert aiortc.__version__ == private.VERSION


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc, "__version__", "1.17.0")
    with pytest.raises(RuntimeError, match=r"1\.17\.0"):
        private.check()


def test_a_part_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RTCRtpSender, "_retransmit", lambda self: None)
    with pytest.raises(RuntimeError, match="_retransmit"):
        private.check()


def test_a_part_that_is_gone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCRtpSender, "_send_keyframe")
    with pytest.raises(RuntimeError, match="_send_keyframe"):
        private.check()


def test_a_computer_without_a_network_offers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    monkeypatch.delattr(aioice.ice, "_folkmoot_original", raising=False)
    private.prepare()
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1"]
    monkeypatch.delattr(aioice.ice, "_folkmoot_original")


def test_a_computer_with_a_network_does_not_offer_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["192.0.2.7"])
    monkeypatch.delattr(aioice.ice, "_folkmoot_original", raising=False)
    private.prepare()
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["192.0.2.7"]
    monkeypatch.delattr(aioice.ice, "_folkmoot_original")


def _pair(local: str, remote: str) -> Any:
    kinds = (SimpleNamespace(type=kind) for kind in (local, remote))
    return SimpleNamespace(**dict(zip(("local_candidate", "remote_candidate"), kinds, strict=True)))


@pytest.mark.parametrize(
    ("chooses", "order"), [(True, ["host", "srflx", "relay"]), (False, ["relay", "host", "srflx"])]
)
async def test_who_chooses_the_pair_checks_those_with_a_relay_later(
    chooses: bool, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked, waited, sleep = list[str](), list[float](), asyncio.sleep

    async def check(pair: Any) -> None:
        checked.append(pair.local_candidate.type)

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0.01)

    monkeypatch.setattr(asyncio, "sleep", wait)
    ice = SimpleNamespace(ice_controlling=chooses, check_start=check)
    gatherer = SimpleNamespace(_connection=ice)
    transport: Any = SimpleNamespace(transport=SimpleNamespace(iceGatherer=gatherer))
    private.prefer_direct(transport, 1.0)
    pairs = (_pair("relay", "host"), _pair("host", "host"), _pair("srflx", "srflx"))
    await asyncio.gather(*(ice.check_start(pair) for pair in pairs))
    assert checked == order
    await ice.check_start(_pair("host", "relay"))
    if chooses:  # not so long for each: the time runs from the first check
        assert waited[0] == 1.0
        assert waited[1] < 1.0
    else:
        assert waited == []


class _Stream:
    """Stands for a receiver."""

    def __init__(self, again: dict[int, int]) -> None:
        setattr(self, private._RTX_SOURCES, again)


def _routed() -> tuple[Any, _Stream, _Stream]:
    router = RtpRouter()
    camera, screen = _Stream({11: 1}), _Stream({12: 2})
    for mid, stream, source in (("1", camera, 1), ("2", screen, 2)):
        router.register_receiver(stream, [source], [97, 98], mid)  # type: ignore[arg-type]
    private.route(SimpleNamespace(_rtp_router=router))  # type: ignore[arg-type]
    return router, camera, screen


def _packet(source: int, mid: str | None = None, kind: int = 97) -> RtpPacket:
    packet = RtpPacket(payload_type=kind, ssrc=source)
    packet.extensions.mid = mid
    return packet


def test_two_streams_of_pictures_are_told_apart_by_their_sources() -> None:
    router, camera, screen = _routed()
    assert router.route_rtp(_packet(1)) is camera
    assert router.route_rtp(_packet(2)) is screen


def test_a_source_that_nobody_described_is_known_by_its_mid() -> None:
    router, _, screen = _routed()
    assert router.route_rtp(_packet(77)) is None
    assert router.route_rtp(_packet(77, "2")) is screen
    assert router.route_rtp(_packet(77)) is screen
    assert router.route_rtp(_packet(78, "9")) is None
    assert router.route_rtp(_packet(79, "2", kind=111)) is None


def test_packets_that_are_sent_again_find_their_stream() -> None:
    router, camera, screen = _routed()
    assert router.route_rtp(_packet(11, kind=98)) is camera
    assert router.route_rtp(_packet(12, kind=98)) is screen


def test_a_mid_takes_no_source_from_another_stream() -> None:
    router, camera, _ = _routed()
    assert router.route_rtp(_packet(1, "2")) is camera


async def test_only_packets_of_the_source_are_paced() -> None:
    sent: list[bytes] = []
    waited: list[int] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    async def wait(size: int) -> None:
        waited.append(size)

    transport: Any = SimpleNamespace(_send_rtp=send)
    private.pace(transport, 5, wait)
    own, other = _packet(5).serialize(), _packet(6).serialize()
    report = bytes(RtcpSrPacket(ssrc=5, sender_info=RtcpSenderInfo(0, 0, 0, 0)))
    for data in (own, other, report):
        await transport._send_rtp(data)
    assert sent == [own, other, report]
    assert waited == [len(own)]


async def test_an_estimate_names_the_sources_that_it_is_about() -> None:
    transport: Any = SimpleNamespace(state="new")
    sender = RTCRtpSender("video", transport)
    told: list[tuple[int, list[int]]] = []
    private.on_estimate(sender, lambda rate, sources: told.append((rate, sources)))
    for sources in ([sender._ssrc, 4], [4]):
        fci = pack_remb_fci(1_000_000, sources)
        await sender._handle_rtcp_packet(
            RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=9, media_ssrc=0, fci=fci)
        )
    await sender._handle_rtcp_packet(
        RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=9, media_ssrc=0, fci=b"nonsense")
    )
    ((rate, about),) = told
    assert abs(rate - 1_000_000) < 10_000
    assert about == [sender._ssrc, 4]
