"""Local settings: short texts by key, kept in the store of this computer and nowhere else."""

from __future__ import annotations

from folkmoot.domain.errors import UserError
from folkmoot.services.ports import Store

MAX_KEY_CHARACTERS = 120
MAX_VALUE_CHARACTERS = 16_384


class SettingsService:
    """Reads and writes settings such as ``theme`` or ``window.conversation``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, key: str) -> str | None:
        """The value of `key`, or None."""
        return await self._store.setting(key)

    async def set(self, key: str, value: str | None) -> None:
        """Keep `value` under `key`; None forgets it. Raises `UserError` ``bad_text``."""
        if not key or len(key) > MAX_KEY_CHARACTERS or len(value or "") > MAX_VALUE_CHARACTERS:
            raise UserError("bad_text", "The setting (key or value) is too long.", "Shorten it.")
        await self._store.set_setting(key, value)
