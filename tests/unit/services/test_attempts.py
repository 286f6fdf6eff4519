"""What was tried is remembered: the last attempt at each address, as many as there is room for."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.services.attempts import MAX_ATTEMPTS, MAX_HEARSAY, Attempts, Unreachable, answer_of

BEN = DeviceId(b"b" * 32)


class Time:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        """The date."""
        return int(self.now * 1000)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def attempts(time: Time) -> Attempts:
    return Attempts(time, time.wall_ms)


def fail(attempts: Attempts, error: FolkmootError, way: str = "remembered") -> None:
    with pytest.raises(type(error)), attempts.trying(way, "10.0.0.2:7", BEN):
        raise error


def test_a_failure_is_kept_with_its_time_and_length(attempts: Attempts, time: Time) -> None:
    def take_three_seconds() -> None:
        with attempts.trying("remembered", "10.0.0.2:7", BEN):
            time.now += 3
            raise Unreachable("no_answer", "It does not answer.")

    with pytest.raises(Unreachable):
        take_three_seconds()
    [made] = attempts.of(BEN)
    assert (made.way, made.address, made.code) == ("remembered", "10.0.0.2:7", "no_answer")
    assert (made.took_ms, made.at_ms) == (3000.0, 103_000)


def test_only_the_last_attempt_at_an_address_counts(attempts: Attempts) -> None:
    fail(attempts, Unreachable("refused", ""))
    fail(attempts, Unreachable("no_answer", ""))
    assert [made.code for made in attempts.of(BEN)] == ["no_answer"]


def test_whoever_proves_themself_takes_over_what_was_tried_for_nobody(attempts: Attempts) -> None:
    with pytest.raises(Unreachable), attempts.trying("mdns", "10.0.0.2:7", None):
        raise Unreachable("refused", "")
    with attempts.trying("mdns", "10.0.0.2:7", None) as trial:
        trial.device = BEN
    assert [made.code for made in attempts.of(BEN)] == ["ok"]
    assert attempts.at("10.0.0.2:7") is None


def test_a_cancelled_attempt_and_a_bug_are_no_answers(attempts: Attempts) -> None:
    with pytest.raises(ZeroDivisionError), attempts.trying("mdns", "10.0.0.2:7", BEN):
        raise ZeroDivisionError
    assert attempts.of(BEN) == []


def test_an_address_that_another_told_is_hearsay(attempts: Attempts) -> None:
    attempts.heard("10.0.0.2:7")
    fail(attempts, Unreachable("refused", ""))
    assert attempts.of(BEN)[0].way == "gossip"
    fail(attempts, Unreachable("refused", ""), way="mdns")
    assert attempts.of(BEN)[0].way == "mdns"


def test_there_is_room_for_so_many_only(attempts: Attempts) -> None:
    for number in range(2 * MAX_ATTEMPTS):
        attempts.note("relay", f"host{number}:7", "not_there", device=BEN)
        attempts.heard(f"host{number}:7")
    assert len(attempts.of(BEN)) == MAX_ATTEMPTS
    assert attempts.at(f"host{2 * MAX_ATTEMPTS - 1}:7", BEN)
    assert not attempts.at("host0:7", BEN)
    assert sum(attempts.is_hearsay(f"host{n}:7") for n in range(2 * MAX_ATTEMPTS)) == MAX_HEARSAY


def test_a_host_that_refuses_is_a_host_that_answers(attempts: Attempts) -> None:
    attempts.note("typed", "10.0.0.2:7", "refused")
    attempts.note("typed", "10.0.0.3:7", "no_answer")
    attempts.note("typed", "[fd00::4]:7", "not_folkmoot")
    assert attempts.hosts_that_answer() == {"10.0.0.2", "fd00::4"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("no_route", ""), "no_route"),
        (EnvironmentFault("unreachable", ""), "no_answer"),
        (EnvironmentFault("link_closed", ""), "unknown_key"),
        (EnvironmentFault("not_wanted", ""), "other_device"),
        (EnvironmentFault("timed_out", ""), "silent"),
        (EnvironmentFault("no_direct_way", ""), "no_direct_way"),
        (PeerError("unknown_listener", ""), "unknown_key"),
        (PeerError("wrong_device", ""), "other_device"),
        (PeerError("own_device", ""), "own_address"),
        (PeerError("bad_version", ""), "bad_version"),
        (PeerError("frame_too_large", ""), "not_folkmoot"),
    ],
)
def test_an_error_tells_what_answered(error: FolkmootError, code: str) -> None:
    assert answer_of(error) == code
