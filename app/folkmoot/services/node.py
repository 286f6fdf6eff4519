"""One running node: every service, composed once, behind the names that the window and the API use.

Owns the order in which services start and stop, and the notices that hold now. Refuses logic of its
own: what a person does is in the services.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.invites import addresses_for_link
from folkmoot.services.call_values import MediaChoice, RelayCheck
from folkmoot.services.calls.doing import CallSurroundings
from folkmoot.services.calls.service import CallsService
from folkmoot.services.calls.ways import Ways
from folkmoot.services.calls_log import CallLog
from folkmoot.services.conversations import ConversationsService
from folkmoot.services.delivery import DeliveryService
from folkmoot.services.doctor import DoctorService, Patient
from folkmoot.services.drafts import DraftsService
from folkmoot.services.events import EventBus, NoticeChanged
from folkmoot.services.forgetting import Forgetting
from folkmoot.services.identity import IdentityService
from folkmoot.services.joining import Joiner
from folkmoot.services.keyring import Keyring
from folkmoot.services.media_port import MediaLauncher
from folkmoot.services.messages import MessagesService
from folkmoot.services.network import Network, Surroundings
from folkmoot.services.own_log import OwnLog
from folkmoot.services.ports import (
    Appended,
    Clock,
    Discovery,
    Randomness,
    Store,
    Surveyor,
    Transport,
)
from folkmoot.services.presence import PresenceService
from folkmoot.services.publish import Publisher
from folkmoot.services.recordings import RecordingFiles, RecordingsService
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.rendezvous import RendezvousService
from folkmoot.services.settings import SettingsService
from folkmoot.services.signaling_port import Ice, Sealer, Signaling
from folkmoot.services.store_health import watch_store
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.teams import TeamsService
from folkmoot.services.update_values import Feeds
from folkmoot.services.updates import UpdatesService
from folkmoot.services.values import Stats

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Installation:
    """What the composition root knows of this installation before the node runs.

    `words` are four words of the person key, `word_list` all that words are taken from.
    `proposed_name` holds until the person chooses one. `save` keeps a keyring.
    """

    keyring: Keyring
    words: tuple[str, ...]
    word_list: Sequence[str]
    version: str
    proposed_name: str
    save: Callable[[Keyring], Awaitable[None]]


class Node:
    """Identity, store, links and all use cases of one person on one computer."""

    def __init__(
        self,
        installation: Installation,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        transport: Transport,
        discovery: Discovery | None = None,
        *,
        media: MediaLauncher | None = None,
        media_choice: MediaChoice | None = None,
        recording_files: RecordingFiles | None = None,
        signaling: Signaling | None = None,
        ice: Ice | None = None,
        surveyor: Surveyor | None = None,
        sealer: Sealer | None = None,
        feeds: Feeds | None = None,
    ) -> None:
        """Compose the services; nothing runs before `start`. Without `discovery` it is found by
        address only, without `signaling` it meets nobody through servers, without `media` it makes
        no calls, without `recording_files` it records nothing, without `surveyor` the doctor knows
        no interfaces, without `ice` links find no way through NAT, without `sealer` no mail is
        left or taken, without `feeds` it hears of no new versions. `media_choice` overrides the
        settings."""
        self._notices: dict[str, NoticeChanged] = {}
        self._store = store = watch_store(store, self.notice)
        self._started_at = 0.0
        self.events = EventBus()
        self.supervisor = Supervisor(self._died)
        me = installation.keyring.person
        self.registry = TeamRegistry(me)
        self.publisher = Publisher(self.events, self.registry)
        self.identity = IdentityService(
            installation.keyring,
            installation.words,
            installation.version,
            installation.proposed_name,
            installation.save,
            store,
            clock,
            self.events,
            self.registry,
        )
        self.own_log = OwnLog(
            lambda: self.identity.keyring,
            store,
            clock,
            randomness,
            self.registry,
            self.publisher,
            self.supervisor,
        )
        self.identity.attach(self.own_log)
        self.teams = TeamsService(
            self.identity,
            store,
            clock,
            randomness,
            self.registry,
            self.own_log,
            self._addresses,
        )
        self.conversations = ConversationsService(
            me, store, self.events, self.registry, self.own_log
        )
        self.messages = MessagesService(me, store, self.registry, self.own_log)
        self.drafts = DraftsService(store)
        self.presence = PresenceService(me, store, clock, self.events, self.registry)
        self.settings = SettingsService(store)
        self.updates = UpdatesService(
            installation.version, feeds, store, clock, randomness, self.events, self.supervisor
        )
        self.delivery = DeliveryService(store, self.events)
        self.forgetting = Forgetting(store, self.publisher, self.supervisor)
        self.publisher.listen(self._wrote)
        self.servers = RendezvousService(
            me,
            lambda: self.identity.keyring.device,
            signaling,
            store,
            clock,
            self.registry,
            self.events,
            self.supervisor,
            self.notice,
        )
        self._network = Network(
            Surroundings(
                keyring=lambda: self.identity.keyring,
                joiner=Joiner(
                    lambda: self.identity.keyring, lambda: self.identity.name, self.teams.joined
                ),
                word_list=installation.word_list,
                version=installation.version,
                store=store,
                transport=transport,
                discovery=discovery,
                clock=clock,
                randomness=randomness,
                registry=self.registry,
                publisher=self.publisher,
                own_log=self.own_log,
                presence=self.presence,
                delivery=self.delivery,
                servers=self.servers,
                ice=ice,
                events=self.events,
                supervisor=self.supervisor,
                notice=self.notice,
            )
        )
        self.links = self._network.links
        self.joining = self._network.joining
        self.nearby = self._network.nearby
        self.peers = self._network.peers
        if sealer is not None:
            mail = self._network.add_mail(self.servers, sealer)
            self.messages.attach_mail(mail)
        self.doctor = DoctorService(
            Patient(
                version=installation.version,
                links=self.links,
                peers=self.peers,
                attempts=self._network.attempts,
                sightings=self._network.sightings,
                reachability=self._network.reachability,
                registry=self.registry,
                servers=self.servers,
                surveyor=surveyor,
                relay=self._relay,
            ),
            clock,
            self.supervisor,
        )
        self.publisher.listen(self.doctor.note_commit)
        self.recordings = RecordingsService(store, recording_files, self.events)
        self.calls = CallsService(
            CallSurroundings(
                me=me,
                device=installation.keyring.device,
                links=self.links,
                ways=Ways(self.links, self.peers.redial, self._network.reachability.look),
                registry=self.registry,
                presence=self.presence,
                messages=self.messages,
                store=store,
                clock=clock,
                randomness=randomness,
                events=self.events,
                supervisor=self.supervisor,
                journal=CallLog(me, store, self.registry, self.own_log),
                launcher=media,
                recordings=self.recordings,
                servers=lambda: self.servers.states().values(),
                choice=media_choice,
            )
        )

    async def start(
        self,
        listen: Sequence[str] = (),
        peers: Sequence[str] = (),
        servers: Sequence[str] = (),
    ) -> None:
        """Load what is stored and begin; `listening` says where others reach this node then.

        `listen` empty: every address of this computer, at the port it had before if that is free.
        `servers`: signaling servers of this run, besides those that are kept.
        Raises `EnvironmentFault` if the store cannot be read, or if nothing can listen as wanted.
        """
        self._started_at = asyncio.get_running_loop().time()
        await self.registry.load(self._store)
        await self.identity.load()
        await self.presence.load()
        await self.calls.load(await self.recordings.load())
        await self._network.listen(listen)
        await self._network.start(peers, servers)
        self.forgetting.start()
        await self.updates.start()

    @property
    def listening(self) -> list[str]:
        """Where this node takes links."""
        return list(self._network.reachability.listening)

    async def aclose(self) -> None:
        """Stop everything in order; the store is closed last. Again is harmless."""
        await self.calls.aclose()
        await self._network.aclose()
        await self.presence.aclose()
        await self.supervisor.aclose()
        await self._store.aclose()

    def notices(self) -> list[NoticeChanged]:
        """States of the environment that hold now."""
        return list(self._notices.values())

    def notice(self, code: str, message: str, hint: str = "") -> None:
        """Begin a state, or end it with an empty message. Saying it again changes nothing."""
        told = NoticeChanged(code, message, hint)
        if self._notices.get(code) == told or (not message and code not in self._notices):
            return
        if message:
            _log.warning("%s (%s)", message, code)
            self._notices[code] = told
        else:
            _log.info("it is over (%s)", code)
            del self._notices[code]
        self.events.publish(told)

    def _relay(self) -> RelayCheck | None:
        return self.calls.relay()

    async def _addresses(self) -> list[str]:
        computers = self._network.reachability.addresses()
        return list(addresses_for_link(computers, self.servers.urls()))

    async def stats(self) -> Stats:
        """Counts of what is stored and who is there."""
        conversations, messages, store_bytes = await self._store.counts()
        bytes_in, bytes_out = self.links.traffic()
        return Stats(
            conversations=conversations,
            messages=messages,
            members_online=self.presence.online() + 1,
            links=len(self.links.members()),
            calls=len(self.calls.list()),
            bytes_in=bytes_in,
            bytes_out=bytes_out,
            store_bytes=store_bytes,
            uptime_s=asyncio.get_running_loop().time() - self._started_at,
        )

    def _wrote(self, appended: Appended, source: DeviceId | None) -> None:
        if appended.teams:
            self.calls.rights_changed()
        if source is not None:
            for message in appended.created:
                self.presence.wrote(message.author, message.conversation, message.thread)

    def _died(self, task: str, error: BaseException) -> None:
        self.notice(
            "internal_error",
            f"A part of Folkmoot stopped ({task}: {type(error).__name__}).",
            "What you wrote is safe. Restart Folkmoot; the log file in the profile says more.",
        )
