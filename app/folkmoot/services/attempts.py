"""What was tried to reach devices and what answered: the memory of the connection doctor.

Owns the last attempt at each address for each device, and which addresses are hearsay. Pure: times
are arguments or come by what is given. Refuses to grow: the oldest attempts are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.domain.ids import DeviceId

MAX_ATTEMPTS = 1024
MAX_HEARSAY = 512

MDNS, REMEMBERED, TYPED, GOSSIP = "mdns", "remembered", "typed", "gossip"
NAT, RELAY = "nat", "relay"
WAYS = (MDNS, REMEMBERED, TYPED, GOSSIP, NAT, RELAY)
"""In the order in which a report has them."""

OK = "ok"
_ENDED = {
    "link_closed": "unknown_key",
    "timed_out": "silent",
    "unreachable": "no_answer",
    "not_connected": "no_server",
    "not_wanted": "other_device",
}
"""Codes of faults of the network and what they mean for an attempt."""
_BROKEN = {
    "unknown_listener": "unknown_key",
    "wrong_device": "other_device",
    "own_device": "own_address",
    "bad_version": "bad_version",
}
"""The same of errors of the other side; every other one is of something that is no Folkmoot."""


class Unreachable(EnvironmentFault):
    """A dial failed before any word of Folkmoot was said; `answer` is the code of what answered.

    ``refused``, ``no_answer``, ``no_route``, ``name_unknown``, ``not_folkmoot``, ``silent`` (it
    takes the connection and says nothing), ``broke``; of servers ``no_server``, ``server_away``,
    ``not_there``.
    """

    def __init__(self, answer: str, message: str, hint: str = "") -> None:
        super().__init__("unreachable", message, hint)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: which device was sought (None: whoever is there), how, and what answered."""

    device: DeviceId | None
    way: str
    address: str
    code: str
    took_ms: float | None
    at_ms: int


@dataclass(slots=True)
class Trial:
    """An attempt that is being made; whoever makes it says which device answered."""

    device: DeviceId | None = None


class Attempts:
    """The last attempt at each address, for each device."""

    def __init__(self, now: Callable[[], float], wall_ms: Callable[[], int]) -> None:
        """`now`: seconds that only go forward. `wall_ms`: the date."""
        self._now = now
        self._wall_ms = wall_ms
        self._last: OrderedDict[tuple[DeviceId | None, str], Attempt] = OrderedDict()
        self._hearsay: OrderedDict[str, None] = OrderedDict()

    def note(
        self,
        way: str,
        address: str,
        code: str,
        *,
        device: DeviceId | None = None,
        took_s: float | None = None,
    ) -> None:
        """An attempt ended: `code` as `services.values.WayReport` has it."""
        took_ms = None if took_s is None else took_s * 1000
        made = Attempt(device, way, address, code, took_ms, self._wall_ms())
        key = (device, address)
        self._last.pop(key, None)
        self._last[key] = made
        if len(self._last) > MAX_ATTEMPTS:
            self._last.popitem(last=False)

    @contextmanager
    def trying(self, way: str, address: str, device: DeviceId | None) -> Iterator[Trial]:
        """Around one attempt: notes how it ended and how long it took. Cancelled ones are none."""
        began, trial = self._now(), Trial(device)
        if way == REMEMBERED and address in self._hearsay:
            way = GOSSIP
        try:
            yield trial
        except FolkmootError as error:
            took_s = self._now() - began
            self.note(way, address, answer_of(error), device=device, took_s=took_s)
            raise
        self.note(way, address, OK, device=trial.device, took_s=self._now() - began)
        if trial.device is not None and device is None:
            self._last.pop((None, address), None)

    def heard(self, address: str) -> None:
        """Another member said that somebody is at this address."""
        self._hearsay.pop(address, None)
        self._hearsay[address] = None
        if len(self._hearsay) > MAX_HEARSAY:
            self._hearsay.popitem(last=False)

    def is_hearsay(self, address: str) -> bool:
        """Whether it is known only because another said so."""
        return address in self._hearsay

    def of(self, device: DeviceId) -> list[Attempt]:
        """The last attempts to reach a device, the newest last."""
        return [attempt for attempt in self._last.values() if attempt.device == device]

    def at(self, address: str, device: DeviceId | None = None) -> Attempt | None:
        """The last attempt to reach a device (None: whoever is there) at an address."""
        return self._last.get((device, address))

    def last(self, address: str) -> Attempt | None:
        """The last attempt at an address, whoever was sought."""
        made = (one for one in reversed(self._last.values()) if one.address == address)
        return next(made, None)

    def hosts_that_answer(self) -> frozenset[str]:
        """Hosts of which anything was heard the last time, a refusal included."""
        silent = ("no_answer", "no_route", "name_unknown")
        return frozenset(
            attempt.address.rpartition(":")[0].strip("[]")
            for attempt in self._last.values()
            if attempt.code not in silent and "://" not in attempt.address
        )


def answer_of(error: FolkmootError) -> str:
    """The code of what answered, from how an attempt failed."""
    if isinstance(error, Unreachable):
        return error.answer
    if isinstance(error, PeerError):
        return _BROKEN.get(error.code, "not_folkmoot")
    return _ENDED.get(error.code, error.code)
