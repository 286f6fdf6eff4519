"""mDNS: tells the local network that somebody is here, and hears of others.

Owns the one zeroconf instance of the node, its names and its tasks. Refuses names of persons, teams
and computers in what it sends, and trust in what it hears: sightings are hints, bounded in number
and rate. zeroconf is imported in a thread when discovery starts, since it is large.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.net.announcement import SERVICE, random_label, read_record, write_tags
from folkmoot.net.interfaces import announced_hosts
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Randomness, Sighting
from folkmoot.services.supervisor import Supervisor

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)

MAX_SIGHTINGS = 512
_NEW_NAME_S = 24 * 3600.0
_LOOK_AT_INTERFACES_S = 1.5
_SETTLES_S = 6.0
"""So long an interface that came may still refuse: its IPv6 address is tried out before it is used
(RFC 4862, section 5.4)."""
_LATE_ANSWERS_S = 1.5
"""An answer that was in line may go out so long after the goodbye (RFC 6762, section 6)."""
_NAME_ATTEMPTS = 5
_OWN_NAMES_KEPT = 16
_RECORDS_PER_S = 50.0
_RECORDS_BURST = 128
_MAX_QUESTIONS = 16
_QUESTION_MS = 3000
_CLOSE_S = 3.0


class MdnsDiscovery:
    """A `services.ports.Discovery` over multicast DNS (RFC 6762, RFC 6763).

    `hosts`: the own addresses to use and to tell, for a test or a computer-only network; None:
    all there are, watched for changes.
    """

    def __init__(self, randomness: Randomness, hosts: Sequence[str] | None = None) -> None:
        self._randomness = randomness
        self._fixed_hosts = None if hosts is None else tuple(hosts)
        self._hosts: tuple[str, ...] = ()
        self._port = 0
        self._tag: Callable[[str], list[bytes]] = lambda _name: []
        self._seen: Callable[[Sighting], None] = lambda _sighting: None
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._announced: AsyncServiceInfo | None = None
        self._announcing = asyncio.Lock()
        self._own_names: deque[str] = deque(maxlen=_OWN_NAMES_KEPT)
        self._sightings: OrderedDict[str, Sighting] = OrderedDict()
        self._changed: OrderedDict[str, bool] = OrderedDict()
        self._something_changed = asyncio.Event()
        self._questions = 0
        self._supervisor = Supervisor(_tell_bug)

    @property
    def instance(self) -> str | None:
        """The instance name that is announced now."""
        return None if self._announced is None else _instance_of(self._announced.name)

    async def start(
        self, port: int, tag: Callable[[str], list[bytes]], seen: Callable[[Sighting], None]
    ) -> None:
        """Listen, look around, and announce `port` in the background (that takes 1 to 2 s).

        May be called again, also after a failure. `seen` is called on this loop, for records that
        are new, changed or gone, never for own ones. Raises `EnvironmentFault` ``no_network``.
        """
        await self.aclose()
        self._port, self._tag, self._seen = port, tag, seen
        await asyncio.to_thread(import_module, "zeroconf.asyncio")
        # It reports every interface that is not connected, with a traceback; that is no fault.
        logging.getLogger("zeroconf").setLevel(logging.ERROR)
        self._hosts = await self._look_at_hosts()
        self._zeroconf = self._open()
        await self._look_around()
        self._supervisor.start("report what mDNS shows", self._report())
        self._supervisor.start("announce by mDNS", self._keep_announced())

    async def refresh(self) -> None:
        """The tags changed: tell the new ones under the same name."""
        async with self._announcing:
            old = self._announced
            if old is None or self._zeroconf is None:
                return  # the announcement to come asks for the tags then
            assert old.server is not None
            info = self._describe(_instance_of(old.name), old.server)
            await self._announce(self._zeroconf.async_update_service(info), info)

    async def aclose(self) -> None:
        """Say goodbye and stop; sightings are forgotten without a word."""
        await self._supervisor.aclose()
        self._supervisor = Supervisor(_tell_bug)
        zeroconf, self._zeroconf = self._zeroconf, None
        browser, self._browser = self._browser, None
        self._announced = None
        self._sightings.clear()
        self._changed.clear()
        if browser is not None:
            await browser.async_cancel()
        if zeroconf is not None:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await zeroconf.async_close()

    async def _look_around(self) -> None:
        """Ask who is there, on every interface; what is known already is not told again."""
        from zeroconf.asyncio import AsyncServiceBrowser

        old, self._browser = self._browser, None
        if old is not None:
            await old.async_cancel()
        if self._zeroconf is not None:
            self._browser = AsyncServiceBrowser(
                self._zeroconf.zeroconf, SERVICE, handlers=[self._on_change]
            )

    # --- announcing --------------------------------------------------------------------------

    async def _look_at_hosts(self) -> tuple[str, ...]:
        if self._fixed_hosts is not None:
            return self._fixed_hosts
        return await asyncio.to_thread(announced_hosts)

    def _open(self) -> AsyncZeroconf:
        """zeroconf on every interface, loopback included, IPv6 where the computer has it."""
        from zeroconf import InterfaceChoice, IPVersion
        from zeroconf.asyncio import AsyncZeroconf

        fault: Exception | None = None
        if self._hosts:
            interfaces: Any = InterfaceChoice.All
            if self._fixed_hosts is not None:
                interfaces = list(self._fixed_hosts)
            for version in (IPVersion.All, IPVersion.V4Only):
                try:
                    return AsyncZeroconf(interfaces=interfaces, ip_version=version)
                except (OSError, RuntimeError) as error:
                    fault = error
        raise EnvironmentFault(
            "no_network",
            "This computer is on no network where others could be found.",
            "Connect it to one; until then invitations with a typed address may work.",
        ) from fault

    async def _keep_announced(self) -> None:
        """Announce under a name that is new each day and each time the addresses change."""
        loop = asyncio.get_running_loop()
        named_at, moved_at = -_NEW_NAME_S, -_SETTLES_S
        while True:
            hosts = await self._look_at_hosts()
            moved = hosts != self._hosts
            if moved:
                log.info("The addresses of this computer changed: a new mDNS name")
                self._hosts, moved_at = hosts, loop.time()
                await self._withdraw()
            if loop.time() - moved_at < _SETTLES_S:
                await self._follow_interfaces()
            if moved:
                await self._look_around()
            if moved or self._announced is None or loop.time() - named_at >= _NEW_NAME_S:
                await self._announce_anew()
                named_at = loop.time()
            await asyncio.sleep(_LOOK_AT_INTERFACES_S)

    async def _follow_interfaces(self) -> None:
        """Listen and speak on the interfaces there are now; where they are as before, do nothing.

        What is announced is told to those that came.
        """
        if self._zeroconf is not None:
            with suppress(OSError, RuntimeError):  # tried again while it settles
                await self._zeroconf.async_update_interfaces()

    async def _withdraw(self) -> None:
        """Take back what is announced, if anything is."""
        async with self._announcing:
            zeroconf, old = self._zeroconf, self._announced
            self._announced = None
            if zeroconf is not None and old is not None:
                await self._announce(zeroconf.async_unregister_service(old), None)
                again = self._say_goodbye_again(zeroconf, old)
                self._supervisor.start("say goodbye by mDNS", again)

    async def _say_goodbye_again(self, zeroconf: AsyncZeroconf, old: AsyncServiceInfo) -> None:
        """A late answer brings the old name back to others, for over an hour."""
        await asyncio.sleep(_LATE_ANSWERS_S)
        await self._announce(zeroconf.async_unregister_service(old), None)

    async def _announce_anew(self) -> None:
        """Withdraw the old name and announce a new one; a name that is taken is replaced."""
        from zeroconf import NonUniqueNameException

        await self._withdraw()
        async with self._announcing:
            zeroconf = self._zeroconf
            if zeroconf is None:
                return
            for _ in range(_NAME_ATTEMPTS):
                name = random_label(self._randomness)
                self._own_names.append(name)
                info = self._describe(name, f"{random_label(self._randomness)}.local.")
                with suppress(NonUniqueNameException):
                    await self._announce(zeroconf.async_register_service(info), info)
                    return

    async def _announce(self, act: Coroutine[Any, Any, Any], info: AsyncServiceInfo | None) -> None:
        """Run one change of our record to its end and note it; a failure is logged."""
        from zeroconf import Error, NonUniqueNameException

        try:
            broadcast = await act
            if info is not None:
                self._announced = info
            await broadcast
        except NonUniqueNameException:
            raise
        except (Error, OSError) as error:
            log.info("The mDNS record could not be changed: %s", error or type(error).__name__)

    def _describe(self, name: str, server: str) -> AsyncServiceInfo:
        from zeroconf.asyncio import AsyncServiceInfo

        return AsyncServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=self._port,
            properties=write_tags(self._tag(name), self._randomness),
            server=server,
            parsed_addresses=[host.partition("%")[0] for host in self._hosts],
        )

    # --- looking around ----------------------------------------------------------------------

    def _on_change(self, *, name: str, state_change: Any, **_rest: Any) -> None:
        """A record was added, updated or removed; note its name, the newest at the end."""
        from zeroconf import ServiceStateChange

        instance = _instance_of(name)
        if instance in self._own_names:
            return
        self._changed[instance] = state_change is ServiceStateChange.Removed
        self._changed.move_to_end(instance)
        if len(self._changed) > MAX_SIGHTINGS:
            self._changed.popitem(last=False)
        self._something_changed.set()

    async def _report(self) -> None:
        """Tell of changed records, at a bounded rate."""
        loop = asyncio.get_running_loop()
        bucket = Bucket(_RECORDS_PER_S, _RECORDS_BURST, loop.time())
        while True:
            await self._something_changed.wait()
            while self._changed:
                await asyncio.sleep(bucket.wait(loop.time()))
                bucket.take(loop.time())
                if self._changed:
                    instance, gone = self._changed.popitem(last=False)
                    if gone:
                        self._forget(instance)
                    else:
                        self._look_up(instance)
            self._something_changed.clear()

    def _look_up(self, instance: str) -> None:
        """Tell what the record says; ask for what did not come with it, a few at a time."""
        from zeroconf import Error
        from zeroconf.asyncio import AsyncServiceInfo

        if self._zeroconf is None:
            return
        try:
            info = AsyncServiceInfo(SERVICE, f"{instance}.{SERVICE}")
            known = info.load_from_cache(self._zeroconf.zeroconf)
        except (Error, ValueError):
            return  # not a name that could be asked for
        if known:
            self._tell(instance, info)
        elif self._questions < _MAX_QUESTIONS:
            self._questions += 1
            self._supervisor.start("ask by mDNS", self._ask(instance, info))

    async def _ask(self, instance: str, info: AsyncServiceInfo) -> None:
        from zeroconf import Error

        try:
            if self._zeroconf is not None and await info.async_request(
                self._zeroconf.zeroconf, _QUESTION_MS
            ):
                self._tell(instance, info)
        except (Error, ValueError, OSError) as error:
            log.debug("No answer about an mDNS record: %s", error)
        finally:
            self._questions -= 1

    def _tell(self, instance: str, info: AsyncServiceInfo) -> None:
        sighting = read_record(instance, info.port, info.parsed_scoped_addresses(), info.properties)
        if sighting is None or self._sightings.get(instance) == sighting:
            return
        self._sightings[instance] = sighting
        self._sightings.move_to_end(instance)
        self._seen(sighting)
        if len(self._sightings) > MAX_SIGHTINGS:
            self._forget(next(iter(self._sightings)))

    def _forget(self, instance: str) -> None:
        known = self._sightings.pop(instance, None)
        if known is not None:
            self._seen(Sighting(instance, known.addresses, known.tags, gone=True))


def _tell_bug(name: str, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler(
        {"message": f"bug in the task “{name}”", "exception": error}
    )


def _instance_of(name: str) -> str:
    return name.removesuffix(f".{SERVICE}")
