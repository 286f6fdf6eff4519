"""Who gets how much picture: the slowest receiver never sets the rate of the others."""

from __future__ import annotations

import pytest

from folkmoot.media.rates import (
    BASE_SHARE,
    LOW_RATE_BPS,
    UP_S,
    Level,
    Plan,
    Pressure,
    RatePolicy,
    choose_profile,
)

_BALANCED = choose_profile("balanced", 0)


def _policy(**estimates: int) -> RatePolicy:
    policy = RatePolicy(_BALANCED)
    for name, estimate in estimates.items():
        policy.join(name)
        policy.note_estimate(name, estimate)
    return policy


def test_without_reports_everybody_gets_everything() -> None:
    policy = RatePolicy(_BALANCED)
    policy.join("ada")
    assert policy.plan(0.0) == Plan(_BALANCED.rate_bps, 0)
    assert policy.level("ada") is Level.FULL


def test_a_slow_receiver_does_not_lower_the_rate_of_the_others() -> None:
    policy = _policy(fast=5_000_000, slow=200_000)
    assert policy.plan(0.0).main_bps == _BALANCED.rate_bps
    assert policy.level("fast") is Level.FULL


def test_one_that_takes_the_base_layer_gets_it_and_starts_no_second_encoding() -> None:
    policy = _policy(fast=5_000_000, slower=int(_BALANCED.rate_bps * (BASE_SHARE + 0.1)))
    assert policy.plan(0.0).low_bps == 0
    assert policy.level("slower") is Level.BASE


def test_one_that_cannot_take_the_base_layer_starts_the_small_encoding() -> None:
    policy = _policy(fast=5_000_000, slow=200_000)
    plan = policy.plan(0.0)
    assert policy.level("slow") is Level.LOW
    assert 0 < plan.low_bps <= 200_000


def test_the_small_encoding_ends_with_the_last_slow_receiver() -> None:
    policy = _policy(fast=5_000_000, slow=200_000)
    assert policy.plan(0.0).low_bps
    policy.leave("slow")
    assert policy.plan(0.5).low_bps == 0


def test_the_small_encoding_never_takes_more_than_its_bound() -> None:
    policy = _policy(fast=9_000_000, slow=900_000)
    assert policy.plan(0.0).low_bps <= LOW_RATE_BPS


def test_a_single_slow_receiver_sets_its_own_rate() -> None:
    policy = _policy(only=600_000)
    assert policy.plan(0.0) == Plan(600_000, 0)
    assert policy.level("only") is Level.FULL


def test_a_receiver_goes_up_only_after_a_while_and_one_level_at_a_time() -> None:
    policy = _policy(fast=5_000_000, slow=200_000)
    policy.plan(0.0)
    policy.note_estimate("slow", 5_000_000)
    seen = []
    for step in range(int(UP_S * 2) * 2 + 4):
        policy.plan(1.0 + step / 2)
        seen.append(policy.level("slow"))
    assert seen[0] is Level.LOW
    assert Level.BASE in seen
    assert seen[-1] is Level.FULL


def test_a_small_change_of_the_estimate_does_not_open_the_encoder_again() -> None:
    policy = _policy(only=1_000_000)
    first = policy.plan(0.0).main_bps
    policy.note_estimate("only", 1_060_000)
    assert policy.plan(60.0).main_bps == first


def test_the_rate_goes_down_within_two_seconds() -> None:
    policy = _policy(only=1_500_000)
    policy.plan(0.0)
    policy.note_estimate("only", 500_000)
    assert policy.plan(2.0).main_bps == 500_000


def test_loss_lowers_what_a_receiver_is_given() -> None:
    policy = _policy(lossy=1_000_000)
    policy.note_loss("lossy", 0.4)
    assert policy.plan(0.0).main_bps == pytest.approx(800_000)


def test_a_receiver_that_is_not_known_changes_nothing() -> None:
    policy = _policy(only=1_000_000)
    policy.note_estimate("stranger", 1)
    policy.note_loss("stranger", 1.0)
    assert policy.plan(0.0) == Plan(1_000_000, 0)


@pytest.mark.parametrize(
    ("name", "height", "steps", "expected"),
    [
        ("saver", 0, 0, 360),
        ("balanced", 0, 0, 720),
        ("high", 0, 0, 1080),
        ("high", 540, 0, 540),
        ("balanced", 0, 1, 540),
        ("balanced", 0, 99, 180),
        ("no such profile", 0, 0, 720),
    ],
)
def test_a_profile_has_its_height(name: str, height: int, steps: int, expected: int) -> None:
    assert choose_profile(name, height, steps).height == expected


def test_fewer_pixels_take_fewer_bits() -> None:
    rates = [choose_profile("high", height).rate_bps for height in (1080, 720, 360, 180)]
    assert rates == sorted(rates, reverse=True)


def _feed(
    pressure: Pressure, cpu: float, seconds: float, start: float = 0.0, wall: float | None = None
) -> bool:
    """Pictures that take such shares of the time between two; `wall` None: nobody else runs."""
    changed = False
    for index in range(int(seconds * 30)):
        took = cpu if wall is None else wall
        changed |= pressure.note(took / 30, cpu / 30, 1 / 30, start + index / 30)
    return changed


def test_slow_encoding_lowers_the_picture_and_quick_encoding_raises_it_again() -> None:
    pressure = Pressure()
    assert _feed(pressure, 1.2, 6.0)
    lowered = pressure.steps
    assert lowered >= 1
    assert _feed(pressure, 0.1, 40.0, 10.0)
    assert pressure.steps < lowered


def test_a_short_peak_lowers_nothing() -> None:
    pressure = Pressure()
    assert not _feed(pressure, 1.5, 3.0)
    assert pressure.steps == 0


def test_a_picture_that_costs_little_is_not_lowered_for_what_others_do() -> None:
    pressure = Pressure()
    for second in range(60):  # seven of ten pictures are late, for want of a core
        for index in range(30):
            wall = 1.5 if index % 10 < 7 else 0.4
            pressure.note(wall / 30, 0.15 / 30, 1 / 30, second + index / 30)
    assert pressure.steps == 0


def test_a_picture_that_costs_much_is_lowered_when_it_is_late() -> None:
    pressure = Pressure()
    assert _feed(pressure, 0.5, 6.0, wall=1.2)


def test_pictures_that_are_always_late_are_lowered_whatever_they_cost() -> None:
    pressure = Pressure()
    assert _feed(pressure, 0.05, 8.0, wall=3.0)


def test_nothing_is_raised_while_pictures_are_late() -> None:
    pressure = Pressure()
    _feed(pressure, 1.2, 6.0)
    lowered = pressure.steps
    for second in range(6, 66):
        for index in range(30):
            wall = 1.5 if index % 3 == 0 else 0.2
            pressure.note(wall / 30, 0.1 / 30, 1 / 30, second + index / 30)
    assert pressure.steps == lowered


def test_without_layers_a_receiver_gets_the_whole_picture_or_the_small_one() -> None:
    policy = _joined("fast", "slow")
    policy.set_layered(False)
    ways = {"fast": _Way(10_000_000), "slow": _Way(1_300_000)}
    seen = set()
    for step in range(120):
        plan = policy.plan(step / 2)
        for name, way in ways.items():
            sent = plan.main_bps if policy.level(name) is not Level.LOW else plan.low_bps
            policy.note_sent(name, sent)
            policy.note_estimate(name, way.report(sent))
        seen.add(policy.level("slow"))
    assert Level.LOW in seen
    assert Level.BASE not in seen


class _Way:
    """A receiver behind a way of some width, whose estimates are like those of REMB: at most one
    and a half times what arrives, growing by a few hundredths a step, cut when too much comes."""

    def __init__(self, width_bps: int) -> None:
        self.width = width_bps
        self.estimate = 0.0

    def report(self, sent_bps: float) -> float:
        arrives = min(sent_bps, self.width)
        grown = (self.estimate or arrives) * 1.04
        self.estimate = min(grown, 1.5 * arrives) if sent_bps <= self.width else 0.85 * arrives
        return self.estimate


def _run(policy: RatePolicy, ways: dict[str, _Way], seconds: int, need: float = 9e9) -> list[Plan]:
    """Send what the policy says, at most `need`, and report what comes of it."""
    plans = []
    for step in range(seconds * 2):
        plan = policy.plan(step / 2)
        plans.append(plan)
        for name, way in ways.items():
            shares = {Level.FULL: plan.main_bps, Level.BASE: plan.main_bps * BASE_SHARE}
            sent = min(need, shares.get(policy.level(name), plan.low_bps))
            policy.note_sent(name, sent)
            policy.note_estimate(name, way.report(sent))
    return plans


def _joined(*names: str) -> RatePolicy:
    policy = RatePolicy(_BALANCED)
    for name in names:
        policy.join(name)
    return policy


def test_a_picture_that_needs_little_does_not_lower_the_rate() -> None:
    policy = _joined("ada")
    plans = _run(policy, {"ada": _Way(10_000_000)}, 60, need=100_000)
    assert {plan.main_bps for plan in plans} == {_BALANCED.rate_bps}


def test_a_wide_way_gets_the_whole_rate_all_the_time() -> None:
    policy = _joined("ada")
    plans = _run(policy, {"ada": _Way(10_000_000)}, 60)
    assert {plan.main_bps for plan in plans} == {_BALANCED.rate_bps}


def test_a_narrow_way_gets_what_it_can_take() -> None:
    policy = _joined("ada")
    plans = _run(policy, {"ada": _Way(600_000)}, 60)
    assert sum(plan.main_bps for plan in plans[40:]) / len(plans[40:]) < 750_000


def test_a_receiver_whose_way_became_wide_comes_back_to_the_whole_picture() -> None:
    policy = _joined("fast", "slow")
    ways = {"fast": _Way(10_000_000), "slow": _Way(200_000)}
    _run(policy, ways, 30)
    assert policy.level("slow") is Level.LOW
    ways["slow"].width = 10_000_000
    _run(policy, ways, 150)
    assert policy.level("slow") is Level.FULL
    assert policy.level("fast") is Level.FULL


def test_a_narrow_way_is_tried_less_and_less_often() -> None:
    policy = _joined("fast", "slow")
    ways = {"fast": _Way(10_000_000), "slow": _Way(400_000)}
    tries, before = 0, Level.FULL
    for _ in range(8):
        _run(policy, ways, 1)
    policy = _joined("fast", "slow")
    levels = []
    for step in range(600):
        plan = policy.plan(step / 2)
        for name, way in ways.items():
            shares = {Level.FULL: plan.main_bps, Level.BASE: plan.main_bps * BASE_SHARE}
            sent = shares.get(policy.level(name), plan.low_bps)
            policy.note_sent(name, sent)
            policy.note_estimate(name, way.report(sent))
        levels.append(policy.level("slow"))
    for level in levels[120:]:
        tries += before is Level.LOW and level is not Level.LOW
        before = level
    assert tries <= 6
    assert levels[120:].count(Level.LOW) > 0.8 * len(levels[120:])


def test_heavy_loss_lowers_the_rate_whatever_is_estimated() -> None:
    policy = _joined("ada")
    _run(policy, {"ada": _Way(10_000_000)}, 10)
    policy.note_loss("ada", 0.4)
    assert policy.plan(20.0).main_bps < _BALANCED.rate_bps * 0.85
