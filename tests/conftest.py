"""Loads the guards that watch every test. Warnings of Qt fail a test by `qt_log_level_fail`."""

from __future__ import annotations

pytest_plugins = ["guards.alone", "guards.examples", "guards.loop", "guards.needs"]
