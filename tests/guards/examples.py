"""How hypothesis draws: no example fails for taking long, as it may where the machine stands still.

In CI hypothesis turns its deadline off by itself, and draws the same examples each time; elsewhere
it would fail an example of more than 200 milliseconds.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "folkmoot", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("folkmoot")
