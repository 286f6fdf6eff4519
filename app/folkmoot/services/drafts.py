"""Unsent text, kept on this computer until it is sent or cleared."""

from __future__ import annotations

from folkmoot.domain.errors import UserError
from folkmoot.services.ports import Store
from folkmoot.services.values import Draft

MAX_DRAFT_CHARACTERS = 256 * 1024
"""More than a message holds: what is too long to send must not be lost either."""


class DraftsService:
    """Saves drafts; the caller decides how often."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, draft: Draft) -> None:
        """Keep a draft durably; an empty text forgets it. Raises `UserError` ``bad_text``."""
        if len(draft.text) > MAX_DRAFT_CHARACTERS:
            raise UserError(
                "bad_text",
                "The draft (text) is too long to be kept.",
                f"Shorten it to {MAX_DRAFT_CHARACTERS} characters.",
            )
        await self._store.save_draft(draft)

    async def all(self) -> list[Draft]:
        """Every draft."""
        return await self._store.drafts()
