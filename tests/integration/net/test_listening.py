"""Where a transport listens, and the words when it cannot."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator

import pytest

from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.net import tls
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Stream


async def ignore(stream: Stream) -> None:
    """Take a stream and let it be closed."""


@pytest.fixture
async def transport() -> AsyncIterator[TlsTransport]:
    made = TlsTransport()
    yield made
    await made.aclose()


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


async def test_ipv4_and_ipv6_get_the_same_free_port(transport: TlsTransport) -> None:
    bound = await transport.listen(["0.0.0.0:0", "[::]:0"], ignore)
    assert bound == [f"0.0.0.0:{port_of(bound[0])}", f"[::]:{port_of(bound[0])}"]
    for host in ("127.0.0.1", "[::1]", "localhost"):
        stream = await transport.dial(f"{host}:{port_of(bound[0])}", 5)
        assert len(stream.binding) == 32


async def test_a_taken_port_is_named_and_nothing_stays_bound(transport: TlsTransport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=f"Port {port} is in use") as caught:
            await transport.listen([f"[::1]:{port}", f"127.0.0.1:{port}"], ignore)
    assert caught.value.code == "port_taken"
    assert "another port" in caught.value.hint
    assert await transport.listen([f"[::1]:{port}"], ignore) == [f"[::1]:{port}"]


async def test_a_free_port_is_looked_for_again_when_the_other_family_has_it_taken(
    transport: TlsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = tls._bind
    refused: list[int] = []

    def bind_unless_first(place: tls.Place, port: int) -> socket.socket:
        if place[0] == socket.AF_INET6 and not refused:
            refused.append(port)
            raise OSError(errno.EADDRINUSE, "taken")
        return bind(place, port)

    monkeypatch.setattr(tls, "_bind", bind_unless_first)
    bound = await transport.listen(["127.0.0.1:0", "[::1]:0"], ignore)
    assert len({port_of(address) for address in bound}) == 1
    assert refused != [port_of(bound[0])]


async def test_a_computer_without_ipv6_listens_on_ipv4(
    transport: TlsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = tls._bind

    def bind_without_ipv6(place: tls.Place, port: int) -> socket.socket:
        if place[0] == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return bind(place, port)

    monkeypatch.setattr(tls, "_bind", bind_without_ipv6)
    (bound,) = await transport.listen(["0.0.0.0:0", "[::]:0"], ignore)
    assert bound.startswith("0.0.0.0:")
    with pytest.raises(EnvironmentFault) as caught:
        await transport.listen(["[::]:0"], ignore)
    assert caught.value.code == "no_network"


@pytest.mark.parametrize("address", ["192.0.2.200:0", "no.such.name.invalid:0"])
async def test_an_address_that_is_not_of_this_computer_is_said(
    transport: TlsTransport, address: str
) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        await transport.listen([address], ignore)
    assert caught.value.code == "no_network"
    assert address.rpartition(":")[0] in caught.value.message


async def test_own_addresses_are_told_with_the_port_and_none_of_a_wildcard(
    transport: TlsTransport,
) -> None:
    bound = await transport.listen(["0.0.0.0:0", "[::]:0"], ignore)
    told = await transport.addresses()
    assert 1 <= len(told) <= 8
    assert {port_of(address) for address in told} == {port_of(bound[0])}
    assert not [address for address in told if address.startswith(("0.0.0.0", "[::]", "[fe80"))]
    away = [address for address in told if not address.startswith(("127.", "[::1]"))]
    assert away in ([], told)


async def test_loopback_alone_is_told_when_nothing_else_listens(transport: TlsTransport) -> None:
    bound = await transport.listen(["127.0.0.1:0"], ignore)
    assert await transport.addresses() == bound


@pytest.mark.parametrize("address", ["", "host", "host:0", "[::1]:99999"])
async def test_an_address_that_cannot_be_dialled_is_a_mistake_of_the_person(
    transport: TlsTransport, address: str
) -> None:
    with pytest.raises(UserError) as caught:
        await transport.dial(address, 1)
    assert caught.value.code == "bad_address"


async def test_where_nobody_listens_the_words_say_so(transport: TlsTransport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(EnvironmentFault, match="no program listens there") as caught:
            await transport.dial(f"127.0.0.1:{port}", 5)
    assert caught.value.code == "unreachable"


async def test_closing_ends_listening_and_every_stream(transport: TlsTransport) -> None:
    async def wait(stream: Stream) -> None:
        stream.open_up()
        await stream.receive()

    (bound,) = await transport.listen(["127.0.0.1:0"], wait)
    other = TlsTransport()
    stream = await other.dial(bound, 5)
    await transport.aclose()
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(stream.receive(), 20)
    with pytest.raises(EnvironmentFault):
        await other.dial(bound, 5)
    await other.aclose()


async def test_a_bug_in_the_accepting_service_reaches_the_top_hook_and_the_stream_is_closed(
    transport: TlsTransport,
) -> None:
    bugs: list[BaseException] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: bugs.append(context["exception"]))

    async def fail(stream: Stream) -> None:
        raise RuntimeError("a bug")

    (bound,) = await transport.listen(["127.0.0.1:0"], fail)
    stream = await transport.dial(bound, 5)
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(stream.receive(), 20)
    assert [str(bug) for bug in bugs] == ["a bug"]


async def test_a_stream_that_the_service_leaves_unproved_is_closed(
    transport: TlsTransport,
) -> None:
    (bound,) = await transport.listen(["127.0.0.1:0"], ignore)
    stream = await transport.dial(bound, 5)
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(stream.receive(), 20)
