"""What a direction of the lossy switch does to packets, without a network."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest

from lab.weather import Direction, Weather

PACKET = bytes(12) + b"\x08\x00" + bytes(200)
ARP = bytes(12) + b"\x08\x06" + bytes(28)


def send(weather: Weather, count: int = 20_000, seed: str = "1") -> list[list[float]]:
    """The fates of packets sent every 10 ms."""
    direction = Direction(seed)
    direction.change(weather)
    return [direction.fate(PACKET, number * 0.01) for number in range(count)]


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("burst", [1, 10])
def test_the_share_lost_is_the_share_asked(loss: float, burst: int) -> None:
    lost = sum(not fate for fate in send(Weather(loss=loss, burst=burst), 60_000)) / 60_000
    assert lost == pytest.approx(loss, rel=0.12)


def test_packets_are_lost_ten_at_a_time() -> None:
    fates = send(Weather(loss=0.05, burst=10))
    runs = [len(list(run)) for lost, run in groupby(fates, lambda fate: not fate) if lost]
    assert min(runs) == 10
    assert all(length % 10 == 0 for length in runs)


def test_the_same_seed_gives_the_same_fates() -> None:
    weather = Weather(delay_ms=50, jitter_ms=10, loss=0.1, reorder=0.02, duplicate=0.02)
    assert send(weather, 2000) == send(weather, 2000)
    assert send(weather, 2000) != send(weather, 2000, seed="2")


def test_jitter_delays_and_keeps_the_order() -> None:
    fates = send(Weather(delay_ms=50, jitter_ms=20))
    out = [fate[0] for fate in fates]
    assert out == sorted(out)
    assert all(due - number * 0.01 >= 0.05 for number, due in enumerate(out))
    assert max(due - number * 0.01 for number, due in enumerate(out)) > 0.08


def test_the_share_asked_is_overtaken() -> None:
    out = [fate[0] for fate in send(Weather(delay_ms=50, reorder=0.1, reorder_ms=25))]
    later = sum(after < before for before, after in pairwise(out))
    assert later / len(out) == pytest.approx(0.09, abs=0.02)


def test_the_share_asked_comes_twice() -> None:
    twice = sum(len(fate) == 2 for fate in send(Weather(duplicate=0.1)))
    assert twice / 20_000 == pytest.approx(0.1, abs=0.02)


def test_a_rate_spreads_packets_and_drops_what_would_wait_too_long() -> None:
    direction = Direction("1")
    direction.change(Weather(rate_bps=len(PACKET) * 8 * 100, queue_ms=55))
    fates = [direction.fate(PACKET, 0.0) for _ in range(20)]
    assert [round(fate[0], 6) for fate in fates if fate] == [0.01, 0.02, 0.03, 0.04, 0.05]
    assert direction.counts.dropped == 15


def test_a_cut_direction_passes_nothing() -> None:
    assert not any(send(Weather(cut=True), 100))


def test_address_resolution_is_not_lost() -> None:
    direction = Direction("1")
    direction.change(Weather(loss=1.0, delay_ms=5))
    assert direction.fate(ARP, 1.0) == [1.005]
    direction.change(Weather(cut=True))
    assert direction.fate(ARP, 1.0) == []
