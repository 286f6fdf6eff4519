"""Records in the air for the `Discovery` port: whoever announces is seen by all others at once."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.services.ports import Sighting


class MemoryAir:
    """One network on which records are seen."""

    def __init__(self) -> None:
        self.present: list[MemoryDiscovery] = []
        self.count = 0

    def discovery(self, host: str) -> MemoryDiscovery:
        """Discovery for one host."""
        return MemoryDiscovery(self, host)


class MemoryDiscovery:
    """`folkmoot.services.ports.Discovery` on a `MemoryAir`."""

    def __init__(self, air: MemoryAir, host: str) -> None:
        self._air = air
        self._host = host
        self._seen: Callable[[Sighting], None] = lambda _sighting: None
        self._tag: Callable[[str], list[bytes]] = lambda _name: []
        self.record: Sighting | None = None

    async def start(
        self, port: int, tag: Callable[[str], list[bytes]], seen: Callable[[Sighting], None]
    ) -> None:
        self._tag, self._seen = tag, seen
        self._air.count += 1
        name = f"instance-{self._air.count}"
        self.record = Sighting(name, (f"{self._host}:{port}",), frozenset(tag(name)))
        for other in self._air.present:
            other._seen(self.record)
            if other.record is not None:
                seen(other.record)
        self._air.present.append(self)

    async def refresh(self) -> None:
        if self.record is None:
            return
        old = self.record
        self.record = Sighting(old.instance, old.addresses, frozenset(self._tag(old.instance)))
        for other in self._air.present:
            if other is not self:
                other._seen(self.record)

    async def aclose(self) -> None:
        if self.record is None or self not in self._air.present:
            return
        self._air.present.remove(self)
        for other in self._air.present:
            other._seen(Sighting(self.record.instance, (), frozenset(), gone=True))
        self.record = None
