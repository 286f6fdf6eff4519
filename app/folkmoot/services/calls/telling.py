"""Makes sure that everybody in a call knows of a recording before it begins.

A word counts as told when the other computer has answered a question that was sent after it: links
keep order, so it has taken the word itself by then. Refuses to go on without somebody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.calls.room import Room, Stand
from folkmoot.services.calls.picture import Picture
from folkmoot.services.link import Link

TOLD_S = 5.0
_ANSWER_S, _LOOK_S = 2.0, 0.25


class Telling:
    """Asks the computers in a call whether they know."""

    def __init__(
        self,
        link_of: Callable[[DeviceId], Link | None],
        picture: Picture,
    ) -> None:
        self._link_of = link_of
        self._picture = picture

    async def everybody(self, room: Room) -> None:
        """Wait until every computer in the call has taken all that was said to it.

        Raises `UserError` ``not_told`` with a name when one does not answer within `TOLD_S`.
        """
        told: set[DeviceId] = set()
        try:
            async with asyncio.timeout(TOLD_S):
                while left := [one for one in room.present() if one.device not in told]:
                    await self._ask(room, left, told)
        except TimeoutError:
            names = [
                self._picture.name_of(room, one.person)
                for one in room.present()
                if one.device not in told
            ]
            raise UserError(
                "not_told",
                f"Nobody is recorded without knowing it, and {', '.join(names)} cannot be told"
                " at the moment.",
                "Try again when the connection is better.",
            ) from None

    async def _ask(self, room: Room, stands: Sequence[Stand], told: set[DeviceId]) -> None:
        """Ask all of them at once, and add those who answer to `told`."""
        asked = []
        for stand in stands:
            link, leg = self._link_of(stand.device), room.legs.get(stand.device)
            if link is not None:
                asked.append((stand.device, link, link.ask()))
            elif leg is None or not leg.was_alive:
                told.add(stand.device)  # nothing ever came from it, nor can before it is told
        for device, link, number in asked:
            if await link.answers(number, _ANSWER_S):
                told.add(device)
        if not asked:
            await asyncio.sleep(_LOOK_S)
