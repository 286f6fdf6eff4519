"""`folkmoot rebuild`: everything that is derived from the log, made anew."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from folkmoot.system.clock import SystemClock, SystemRandomness
from folkmoot.system.computer import computer_name
from folkmoot.system.identity_files import open_keyring
from folkmoot.system.instance import NODE, Instance
from folkmoot.system.profile import Profile, existing_profile


def rebuild_store(profile: Path | None) -> str:
    """Rebuild the store of `profile`; the sentence that says what was done.

    Raises `EnvironmentFault` ``no_profile``, ``profile_in_use`` and what the store raises.
    """
    os.umask(0o077)
    opened = existing_profile(profile)
    instance = Instance(opened, NODE)
    try:
        entries = asyncio.run(_rebuild(opened))
    finally:
        instance.release()
    return f"Rebuilt from {entries} {'entry' if entries == 1 else 'entries'} of the log."


async def _rebuild(profile: Profile) -> int:
    from folkmoot.storage.store import SqliteStore

    clock = SystemClock()
    keyring = await asyncio.to_thread(
        open_keyring, profile, clock, SystemRandomness(), computer_name
    )
    store = await SqliteStore.open(profile.store, keyring.person, keyring.device, clock=clock)
    try:
        return await store.rebuild()
    finally:
        await store.aclose()
