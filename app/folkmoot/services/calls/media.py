"""Keeps a media process while one is needed, and restarts it when it dies.

Owns the plans, so that a new process gets all of them again. Refuses to start one before there is a
need, and to go on with one that dies three times in a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.services.media_port import (
    VERSION,
    AnyReport,
    AudioPlan,
    Begin,
    Command,
    IceServer,
    ListSources,
    Media,
    MediaLauncher,
    SetAudio,
    SetPeer,
    SetServers,
    SetShare,
    SetVideo,
    SharePlan,
    ShowTiles,
    TilePlan,
    VideoPlan,
)
from folkmoot.services.supervisor import Supervisor

KEEP_S = 60.0
"""After the last need it stays for so long: starting it takes a moment."""
MAX_DEATHS, DEATHS_S = 3, 60.0
MAX_QUEUED = 512

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MediaListener:
    """Who is told: of reports, of a death, of a process in place of a dead one, of the last death.

    `began` comes with each process, after its plans. What is sent from `lost` on goes to the next
    process as soon as it has begun.
    """

    report: Callable[[AnyReport], None]
    began: Callable[[], None]
    lost: Callable[[], None]
    restarted: Callable[[], None]
    failed: Callable[[str], None]


class MediaSupervisor:
    """At most one media process."""

    def __init__(
        self, launcher: MediaLauncher | None, listener: MediaListener, supervisor: Supervisor
    ) -> None:
        self._launcher = launcher
        self._listener = listener
        self._supervisor = supervisor
        self._needs: set[str] = set()
        self._media: Media | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._deaths: deque[float] = deque()
        self._audio, self._video, self._share = AudioPlan(), VideoPlan(), SharePlan()
        self._lists = False
        self._tiles: tuple[TilePlan, ...] = ()
        self._volumes: dict[bytes, float] = {}
        self._queued: list[Command] = []
        self._device_users: set[str] = set()
        self._servers: tuple[IceServer, ...] = ()
        self._began_with_devices = False
        self._died = False
        self._current: object | None = None
        self._renew = False
        self._unneeded_at = 0.0
        self._closing = False

    @property
    def running(self) -> bool:
        """Whether a process has begun."""
        return self._media is not None

    def memory(self) -> memoryview | None:
        """The pictures."""
        return None if self._media is None else self._media.memory

    def check(self) -> None:
        """Raises `UserError` ``no_media`` if there can be no calls here at all."""
        if self._launcher is None:
            raise UserError(
                "no_media",
                "This Folkmoot can make no calls: the part for sound and pictures is missing.",
                "Install Folkmoot with its extra “desktop” or “node”.",
            )

    # --- needs -------------------------------------------------------------------------------

    def need(self, what: str, on: bool) -> None:
        """Begin or end a need."""
        if on == (what in self._needs) or self._launcher is None or self._closing:
            return
        if on:
            self._needs.add(what)
            if self._task is None:
                self._task = self._supervisor.start("media process", self._keep())
        else:
            self._needs.discard(what)
            self._unneeded_at = _now()
        self._changed.set()

    def use_devices(self, on: bool, who: str = "choice") -> None:
        """Whether `who` wants devices of the computer; a process without them is replaced."""
        (self._device_users.add if on else self._device_users.discard)(who)
        if on and self.running and not self._began_with_devices:
            self._renew = True
            self._changed.set()

    def use_servers(self, servers: tuple[IceServer, ...]) -> None:
        """Which servers connections ask that are made from now on."""
        if servers != self._servers:
            self._servers = servers
            self._now(SetServers(servers))

    # --- plans -------------------------------------------------------------------------------

    def set_audio(self, plan: AudioPlan) -> None:
        """Replace the plan for sound."""
        if plan != self._audio:
            self._audio = plan
            self._now(SetAudio(plan))

    def set_video(self, plan: VideoPlan) -> None:
        """Replace the plan for pictures."""
        if plan != self._video:
            self._video = plan
            self._now(SetVideo(plan))

    def set_share(self, plan: SharePlan) -> None:
        """Replace the plan for what is shared."""
        if plan != self._share:
            self._share = plan
            self._now(SetShare(plan))

    def list_sources(self, on: bool) -> None:
        """Whether what can be shared is told."""
        if on != self._lists:
            self._lists = on
            self._now(ListSources(on))

    def show(self, tiles: Sequence[TilePlan]) -> None:
        """Replace the plan of the tiles."""
        if tuple(tiles) != self._tiles:
            self._tiles = tuple(tiles)
            self._now(ShowTiles(self._tiles))

    def set_volume(self, peer: bytes, volume: float) -> None:
        """How loud a peer is here."""
        self._volumes[peer] = volume
        self._now(SetPeer(peer, volume))

    def forget_volumes(self) -> None:
        """Nobody is in a call any more."""
        self._volumes.clear()

    def send(self, command: Command) -> None:
        """Send a command that is no plan; while a process starts it waits."""
        if self._media is not None:
            self._media.send(command)
        elif self._task is not None and len(self._queued) < MAX_QUEUED:
            self._queued.append(command)

    def _now(self, command: Command) -> None:
        if self._media is not None:
            self._media.send(command)

    # --- the process -------------------------------------------------------------------------

    async def _keep(self) -> None:
        try:
            while not self._closing and self._is_kept():
                await self._live_once()
                if self._gave_up():
                    return
        finally:
            self._task = None
            self._queued.clear()

    def _is_kept(self) -> bool:
        return bool(self._needs) or _now() < self._unneeded_at + KEEP_S

    async def _live_once(self) -> None:
        assert self._launcher is not None
        again, self._died = self._died, False
        begin = Begin(VERSION, bool(self._device_users), self._servers)
        this = self._current = object()
        try:
            media = await self._launcher.launch(
                begin, self._listener.report, lambda reason: self._has_ended(this, reason)
            )
        except EnvironmentFault as fault:
            _log.error("the media process does not start: %s", fault)
            self._count_death(str(fault))
            return
        try:
            if self._current is this:
                self._begin(media, begin, again)
                await self._until_over()
        finally:
            self._media = self._current = None
            if self._renew and self._needs:
                self._listener.lost()
            await media.aclose()

    def _begin(self, media: Media, begin: Begin, again: bool) -> None:
        self._media, self._began_with_devices, self._renew = media, begin.devices, False
        if begin.ice_servers != self._servers:
            media.send(SetServers(self._servers))
        media.send(SetAudio(self._audio))
        media.send(SetVideo(self._video))
        if self._share.source != "none":
            media.send(SetShare(self._share))
        if self._lists:
            media.send(ListSources(True))
        if self._tiles:
            media.send(ShowTiles(self._tiles))
        for peer, volume in self._volumes.items():
            media.send(SetPeer(peer, volume))
        queued, self._queued = self._queued, []
        for command in queued:
            media.send(command)
        if again:
            self._listener.restarted()
        self._listener.began()

    async def _until_over(self) -> None:
        while self._is_kept() and not self._died:
            if self._renew:
                self._died = True
                return
            self._changed.clear()
            wait_s = None if self._needs else max(0.0, self._unneeded_at + KEEP_S - _now())
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _has_ended(self, which: object, reason: str) -> None:
        if self._current is not which or self._closing:
            return
        _log.error("the media process ended: %s", reason)
        self._media = self._current = None
        self._count_death(reason)
        if self._needs:
            self._listener.lost()
        self._changed.set()

    def _count_death(self, reason: str) -> None:
        self._died = True
        now = _now()
        self._deaths.append(now)
        while self._deaths and now - self._deaths[0] > DEATHS_S:
            self._deaths.popleft()
        if self._gave_up():
            self._needs.clear()
            self._unneeded_at = 0.0
            self._listener.failed(reason)

    def _gave_up(self) -> bool:
        recent = [at for at in self._deaths if _now() - at <= DEATHS_S]
        return len(recent) >= MAX_DEATHS

    def forgive(self) -> None:
        """The person tries again by hand: the deaths before do not count."""
        if self._task is None:
            self._deaths.clear()
            self._died = False

    async def aclose(self) -> None:
        """End the process."""
        self._closing = True
        self._needs.clear()
        self._unneeded_at = 0.0
        media, self._media = self._media, None
        self._changed.set()
        if media is not None:
            await media.aclose()


def _now() -> float:
    return asyncio.get_running_loop().time()
