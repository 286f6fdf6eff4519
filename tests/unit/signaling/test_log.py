"""The log: lines of JSON without addresses, keys or what a peer sent; repeats are counted."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from typing import Any

import pytest

from folkmoot_signaling.log import REPEATS, EventLog, Hider, RepeatGuard

_SALT = b"salt"


def _lines(log: EventLog, output: io.StringIO) -> list[dict[str, Any]]:
    log.close()
    log._writer.join(30)  # `close` waits two seconds only
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_says_when_what_and_numbers() -> None:
    output = io.StringIO()
    log = EventLog(_SALT, output=output, clock=lambda: 1_700_000_000.25)
    log.tell("started", connections=3)
    assert _lines(log, output) == [
        {
            "at": "2023-11-14T22:13:20.250Z",
            "level": "info",
            "event": "started",
            "connections": 3,
        }
    ]


def test_addresses_and_devices_are_hashed_alike_in_one_run_only() -> None:
    output = io.StringIO()
    log = EventLog(_SALT, output=output)
    device = bytes(range(32))
    log.tell("first", address="192.0.2.77", device=device)
    log.tell("second", address="192.0.2.77", device=device)
    first, second = _lines(log, output)
    assert first["address"] == second["address"]
    assert first["device"] == second["device"]
    assert "192.0.2" not in output.getvalue()
    assert device.hex()[:8] not in output.getvalue()
    assert Hider(b"other").address("192.0.2.77") != first["address"]


def test_addresses_of_one_ipv6_network_have_one_name() -> None:
    hide = Hider(_SALT)
    assert hide.address("2001:db8::1%eth0") == hide.address("2001:db8::2")
    assert hide.address("2001:db8::1") != hide.address("2001:db8:0:1::1")
    assert hide.address("no address") == hide.address("no address")


def test_repeats_are_written_some_times_and_then_counted() -> None:
    now_s = 1000.0
    output = io.StringIO()
    log = EventLog(_SALT, output=output, clock=lambda: now_s)
    for _ in range(REPEATS + 20):
        log.tell("a login was refused")
    log.tell("another")
    now_s += 61
    log.tell("later")
    lines = _lines(log, output)
    events = [line["event"] for line in lines]
    assert events == ["a login was refused"] * REPEATS + ["another", "repeated", "later"]
    assert (lines[-2]["of"], lines[-2]["times"]) == ("a login was refused", 20)


def test_kinds_without_end_take_no_memory_without_end() -> None:
    guard = RepeatGuard()
    written = sum(guard.admit(f"event {n}", 100.0)[0] for n in range(50_000))
    assert written < 1100
    assert len(guard._seen) < 1100


def test_a_level_leaves_out_what_is_below() -> None:
    output = io.StringIO()
    log = EventLog(_SALT, "warning", output)
    log.tell("fine")
    log.tell("bad", "warning")
    assert [line["event"] for line in _lines(log, output)] == ["bad"]


def test_an_exception_is_told_without_its_words() -> None:
    output = io.StringIO()
    log = EventLog(_SALT, output=output)
    log.install()
    try:
        raise ValueError("the secret words of somebody")
    except ValueError:
        logging.getLogger("asyncio").exception("a task died\n<Task result=%s>" % "secret payload")  # noqa: UP031
    (line,) = _lines(log, output)
    assert line["event"] == "a task died"
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_log.py:")
    assert "secret" not in output.getvalue()


def test_the_values_in_a_line_of_a_library_are_left_out() -> None:
    output = io.StringIO()
    log = EventLog(_SALT, output=output)
    log.install()
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "192.0.2.77")
    logging.getLogger("folkmoot_signaling.mailbox_file").warning("%d bytes were torn", 7)
    first, second = _lines(log, output)
    assert first["event"] == "Error handling request from %s"
    assert first["logger"] == "aiohttp.server"
    assert second["event"] == "7 bytes were torn"


def test_the_root_logger_is_afterwards_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.ERROR)
    handlers = list(root.handlers)
    log = EventLog(_SALT, output=io.StringIO())
    log.install()
    assert root.level == logging.INFO
    log.close()
    assert (root.level, root.handlers) == (logging.ERROR, handlers)


def test_a_reader_that_does_not_read_stops_nobody() -> None:
    class Stuck(io.StringIO):
        go = threading.Event()

        def write(self, text: str) -> int:
            self.go.wait(60)
            return super().write(text)

    output = Stuck()
    log = EventLog(_SALT, output=output, clock=lambda: 0.0)
    for n in range(10_000):
        log._put(0.0, "info", str(n), {})
    assert log.lost > 5000
    output.go.set()
    until_s = time.monotonic() + 30
    while log._lines.full() and time.monotonic() < until_s:
        time.sleep(0.01)  # `close` waits for room for a second only
    assert _lines(log, output)[-1]["event"] == "lines of this log were lost"


def test_a_closed_reader_is_no_crash() -> None:
    output = io.StringIO()
    log = EventLog(_SALT, output=output)
    output.close()
    log.tell("nobody reads this")
    log.close()
    log._writer.join(30)
    assert log.lost == 1
