"""What a real server writes while nodes talk and misbehave: lines of JSON that name nobody."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from folkmoot.protocol.signaling import Enter, Turn, write_control
from folkmoot_signaling.turn import password_of
from lab.signal_client import SignalClient
from lab.signal_command import signal_command

TAG = b"very secret tag!"
PAYLOAD = b"what nobody but the other may read"


async def test_nothing_of_nodes_is_in_the_log_or_in_words_of_errors() -> None:
    with signal_command("--listen", "127.0.0.7:0") as server:
        async with (
            await SignalClient.logged_in(server.url) as ann,
            await SignalClient.logged_in(server.url) as bob,
        ):
            await ann.enter(TAG)
            await bob.enter(TAG)
            await ann.relay(bob.device, PAYLOAD)
            await bob.relayed()
            assert ann.ready is not None
            token = ann.ready.token
            await server.ask("/api/communication/webrtc/rooms", token=token + "x")
            # Not HTTP, not WebSocket, not a message.
            host, _, port = server.listen[0].rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"NONSENSE " + PAYLOAD + b"\r\n\r\n")
            await asyncio.wait_for(reader.read(), 20)
            writer.close()
            await ann.send_raw(b"\x07" + PAYLOAD)
            assert (await ann.ended()).error is not None
            await bob.send_raw(write_control(Enter((TAG,))) + PAYLOAD)
            assert (await bob.ended()).error is not None
        server.tell(signal.SIGTERM)
        _status, lines = await server.ended()
        text = str(lines)
        assert [line["event"] for line in lines] == [
            "started",
            "sent away",
            "sent away",
            "draining",
            "ended",
        ]
        away = [line for line in lines if line["event"] == "sent away"]
        assert [line["code"] for line in away] == ["bad_message", "bad_message"]
        assert len({line["device"] for line in away}) == 2
        assert len({line["address"] for line in away}) == 1
        hidden = [ann.device.hex(), bob.device.hex(), TAG.decode(), TAG.hex(), PAYLOAD.decode()]
        for word in (*hidden, token, "127.0.0.", ann.device.hex()[:10]):
            assert word not in text


async def test_nodes_get_credentials_that_coturn_computes_too(tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text(
        'turn_urls = ["turn:127.0.0.1:3478?transport=udp"]\n'
        'turn_secret = "shared with coturn"\nturn_valid_s = 3600\n'
    )
    with signal_command("--config", str(file)) as server:
        async with await SignalClient.logged_in(server.url) as ann:
            assert ann.ready is not None
            turn = ann.ready.turn
            assert isinstance(turn, Turn)
            assert turn.urls == ("turn:127.0.0.1:3478?transport=udp",)
            assert turn.credential == password_of(b"shared with coturn", turn.username)
            assert turn.valid_s == 3600
