"""How often a shared screen is encoded, and that slow receivers slow nobody else."""

from __future__ import annotations

from folkmoot.media.rates import Level
from folkmoot.media.screen.rates import (
    ASKED_TIMES,
    ENOUGH_BPS,
    LEAST_BPS,
    LEAST_FPS,
    MOST_BPS,
    MOST_FPS,
    PACE,
    PART,
    START_BPS,
    UP_S,
    Pacer,
    ScreenRates,
)


def _run(pacer: Pacer, size_bytes: int, cpu_s: float, seconds: float = 10.0) -> float:
    """Pictures a second of a source that always has one, after the first seconds."""
    now, times = 0.0, []
    while now < seconds:
        pacer.note(now, size_bytes, cpu_s)
        times.append(now)
        now = max(now + 1e-3, pacer.due_s)
    later = [at for at in times if at >= seconds / 2]
    return len(later) / (seconds / 2)


def test_small_changes_are_shown_up_to_thirty_times_a_second() -> None:
    fps = _run(Pacer(), 2_000, 0.004)
    assert MOST_FPS <= fps <= MOST_FPS / 0.85


def test_the_network_sets_the_rate_of_large_pictures() -> None:
    pacer = Pacer()
    pacer.rate_bps = 8_000_000
    assert abs(_run(pacer, 100_000, 0.004) - 10.0) < 1.0


def test_on_a_narrow_way_pictures_become_rare_and_nothing_else_changes() -> None:
    pacer = Pacer()
    pacer.rate_bps = LEAST_BPS
    assert 0.3 < _run(pacer, 100_000, 0.004, seconds=60.0) < 0.7


def test_the_cpu_sets_the_rate_but_never_below_five() -> None:
    assert abs(_run(Pacer(), 2_000, 0.05) - 10.0) < 1.5
    assert LEAST_FPS <= _run(Pacer(), 2_000, 0.4) <= LEAST_FPS / 0.85


def test_a_chosen_number_of_pictures_caps_it() -> None:
    pacer = Pacer()
    pacer.most_fps = 10
    assert 10 <= _run(pacer, 2_000, 0.004) <= 10 / 0.85


def test_what_has_been_still_is_shown_at_once() -> None:
    pacer = Pacer()
    pacer.note(0.0, 200_000, 0.01)
    assert pacer.due_s < 0.2
    pacer.note(60.0, 200_000, 0.01)
    assert pacer.due_s < 60.2


def _plan(rates: ScreenRates, seconds: float, now: float = 0.0) -> tuple[tuple[int, int], float]:
    plan = (0, 0)
    for _ in range(round(seconds / 0.5)):
        plan, now = rates.plan(now), now + 0.5
    return plan, now


def test_nobody_is_slow_when_nothing_is_known() -> None:
    rates = ScreenRates()
    rates.join("a")
    assert rates.plan(0.0) == (START_BPS, 0)
    assert rates.level("a") is Level.FULL


def test_the_rate_rises_while_it_is_used_and_little_is_lost() -> None:
    rates = ScreenRates()
    rates.join("a")
    rates.note_sent("a", 100_000)
    rates.note_loss("a", 0.0)
    assert rates.plan(0.0) == (START_BPS, 0)
    for _ in range(6):
        rates.note_sent("a", 8_000_000)
        rates.note_loss("a", 0.05)
    assert rates.plan(0.5) == (MOST_BPS, 0)
    for _ in range(5):
        rates.note_loss("a", 0.3)
    assert rates.plan(1.0)[0] == int(MOST_BPS * 0.85**5)


def test_a_large_picture_goes_out_no_faster_than_a_known_way_allows() -> None:
    rates = ScreenRates()
    rates.join("a")
    assert rates.pace_bps("a") == START_BPS * PACE
    rates.note_estimate("a", 1_500_000)
    rates.plan(0.0)
    assert rates.pace_bps("a") == 1_500_000 * (1 + PART) / 2
    assert rates.pace_bps("nobody") == START_BPS * PACE


def test_a_slow_receiver_gets_an_encoding_of_its_own_and_the_other_keeps_its_rate() -> None:
    rates = ScreenRates()
    for key in ("fast", "slow"):
        rates.join(key)
        rates.note_sent(key, 4_000_000)
    for _ in range(6):
        rates.note_sent("fast", 8_000_000)
        rates.note_loss("fast", 0.0)
    rates.note_estimate("fast", 30_000_000)
    rates.note_estimate("slow", 600_000)
    (fast, slow), _ = _plan(rates, 5)
    assert fast == MOST_BPS
    assert LEAST_BPS <= slow <= 600_000
    assert (rates.level("fast"), rates.level("slow")) == (Level.FULL, Level.LOW)


def test_the_fastest_of_slow_ones_is_not_slow() -> None:
    rates = ScreenRates()
    rates.join("a")
    rates.note_sent("a", 600_000)
    rates.note_estimate("a", 500_000)
    (fast, slow), _ = _plan(rates, 5)
    assert 0 < fast <= 500_000
    assert slow == 0


def test_who_was_slow_comes_back_after_a_while_of_room() -> None:
    rates = ScreenRates()
    for key in ("fast", "slow"):
        rates.join(key)
        rates.note_sent(key, 4_000_000)
    rates.note_estimate("slow", 600_000)
    _, now = _plan(rates, 3)
    rates.note_estimate("slow", ENOUGH_BPS * 3)
    for _ in range(3):
        rates.note_loss("fast", 0.0)  # so that the other is not the fastest now
    _, now = _plan(rates, UP_S - 1, now)
    assert rates.level("slow") is Level.LOW
    _plan(rates, 2, now)
    assert rates.level("slow") is Level.FULL


def test_who_keeps_asking_for_whole_pictures_gets_them_apart_for_a_while() -> None:
    rates = ScreenRates()
    rates.join("calm")
    rates.join("troubled")
    for number in range(ASKED_TIMES):
        assert rates.level("troubled") is Level.FULL
        rates.note_asked("troubled", number * 1.0)
        rates.plan(number * 1.0)
    assert rates.level("troubled") is Level.LOW
    assert rates.level("calm") is Level.FULL
    _plan(rates, 20.0, 8.0)
    assert rates.level("troubled") is Level.FULL


def test_where_all_have_trouble_there_is_one_encoding() -> None:
    rates = ScreenRates()
    rates.join("a")
    for number in range(ASKED_TIMES):
        rates.note_asked("a", number * 1.0)
    assert rates.plan(6.0) == (START_BPS, 0)


def test_who_left_counts_no_more() -> None:
    rates = ScreenRates()
    rates.join("a")
    rates.leave("a")
    rates.note_estimate("a", 5)
    rates.note_sent("a", 5)
    rates.note_loss("a", 0.5)
    rates.note_asked("a", 0.0)
    assert rates.plan(0.0) == (0, 0)
