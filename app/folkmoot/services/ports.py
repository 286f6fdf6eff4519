"""What the services need from outside: clock, randomness, store, transport, discovery.

The adapters live in `system`, `storage` and `net`; the simulator has its own. Services take time
from the running loop (so that a simulator owns it) and the date from `Clock`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from folkmoot.domain.entry import Entry, LogHead
from folkmoot.domain.fold import TeamState
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey, PersonId
from folkmoot.services.call_values import CallId, CallRecord, Recording
from folkmoot.services.values import (
    Conversation,
    Delivery,
    Draft,
    Message,
    Page,
    Revision,
    Thread,
)


class Clock(Protocol):
    """The date. Nothing decides by it; it is shown and put into headers."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        ...


class Randomness(Protocol):
    """Where random bytes and jitter come from."""

    def bytes(self, count: int) -> bytes:
        """`count` bytes fit for keys."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high], for jitter."""
        ...


# --- store -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appended:
    """What one durable commit changed.

    `entries` are those that were new, in order. `created` and `changed` carry messages as they read
    after the commit, unless more than `Store.bulk_limit` were new in one conversation: then
    `arrived` counts them instead. `teams` holds the new state of each team whose log grew.
    """

    entries: tuple[Entry, ...] = ()
    created: tuple[Message, ...] = ()
    roots: dict[EntryId, Message] = field(default_factory=dict)
    changed: tuple[tuple[Message, str], ...] = ()
    arrived: dict[ConversationId, int] = field(default_factory=dict)
    conversations: tuple[Conversation, ...] = ()
    teams: dict[ConversationId, TeamState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldLog:
    """What is held of one log; `digest_id` pairs with `head` in the conversation's digest."""

    head: LogHead
    person: PersonId


@dataclass(frozen=True, slots=True)
class StoredAddress:
    """Where a device was reached or may be reached. `typed`: a person wrote it; it is kept."""

    device: DeviceId | None
    address: str
    typed: bool
    last_ok_ms: int | None


class Store(Protocol):
    """The durable memory of a node. Every awaited write is on disk when it returns.

    Raises `EnvironmentFault` (``disk_full``, ``read_only``, ``store_damaged``, ``store_newer``).
    """

    # The log
    async def append(self, entries: Sequence[Entry], *, client_id: str = "") -> Appended:
        """Store verified entries in order, project and index them, in one transaction.

        An entry already held is passed over (its signature is taken if it was missing). One
        that does not follow its log's head raises `PeerError` ``gap``; one at a held sequence with
        another id raises `PeerError` ``fork``; then nothing of the call is stored.
        """
        ...

    async def fill_bodies(self, bodies: Sequence[tuple[EntryId, bytes]]) -> Appended:
        """Store bodies that were missing. Those not wanted or not matching are passed over."""
        ...

    async def heads(self, conversation: ConversationId) -> list[HeldLog]:
        """The held head of every log of a conversation, sorted by log."""
        ...

    async def conversations_with_entries(self) -> list[ConversationId]:
        """Every conversation of which entries are held, teams included."""
        ...

    async def segment(self, log: LogKey, first: int, max_bytes: int) -> list[Entry]:
        """Up to 256 entries from `first` on, the last one with its signature; [] if none."""
        ...

    async def bodies(
        self, conversation: ConversationId, ids: Sequence[EntryId], max_bytes: int
    ) -> list[tuple[EntryId, bytes]]:
        """The bodies held among `ids`, of entries of this conversation only."""
        ...

    async def entry(self, entry: EntryId) -> Entry | None:
        """One entry."""
        ...

    async def forget_words(self) -> bool:
        """Take words of deleted messages out of the file, one short step; whether there is more."""
        ...

    async def wanting(self) -> list[ConversationId]:
        """The conversations in which something is `wanted`, sorted."""
        ...

    async def wanted(self, conversation: ConversationId, limit: int) -> list[EntryId]:
        """Entries whose body is missing with no delete that explains it."""
        ...

    async def team_states(self) -> dict[ConversationId, TeamState]:
        """The fold of every team held."""
        ...

    async def direct_persons(self) -> dict[ConversationId, tuple[PersonId, ...]]:
        """The persons of every direct conversation held."""
        ...

    # What people read
    async def conversations(self) -> list[Conversation]:
        """Every channel and direct conversation, unsorted."""
        ...

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        """One conversation."""
        ...

    async def page(
        self,
        conversation: ConversationId,
        *,
        thread: EntryId | None = None,
        before: EntryId | None = None,
        after: EntryId | None = None,
        around: EntryId | None = None,
        ordinal: int | None = None,
        limit: int = 64,
    ) -> Page:
        """Messages of the timeline or of one thread; without a place: the newest ones.

        At most one of `before`, `after` (exclusive), `around` (inclusive) and `ordinal` is given. A
        thread's list begins with its first message.
        """
        ...

    async def message(self, message: EntryId) -> Message | None:
        """One message as it reads now."""
        ...

    async def message_by_client_id(self, client_id: str) -> Message | None:
        """The message that was posted here with this `client_id`."""
        ...

    async def calls(self, limit: int) -> list[CallRecord]:
        """The calls of every conversation that is shown, the newest first."""
        ...

    async def call_states(self, conversation: ConversationId, call: CallId) -> set[int]:
        """What this device has written of a call: numbers `bodies.CALL_…`."""
        ...

    async def first_unread(self, conversation: ConversationId) -> Message | None:
        """The unread message that stands first in the timeline."""
        ...

    async def threads(self, conversation: ConversationId, limit: int) -> list[Thread]:
        """Threads, the one with the latest reply first."""
        ...

    async def revisions(self, message: EntryId) -> list[Revision]:
        """Texts the message had, oldest first; [] for a deleted one."""
        ...

    async def edit_heads(self, message: EntryId) -> list[EntryId]:
        """Edits of a message that no other edit replaces (what a new edit must name)."""
        ...

    async def react_heads(self, message: EntryId, person: PersonId, emoji: str) -> list[EntryId]:
        """Reactions of one person with one emoji that no other replaces."""
        ...

    async def set_heads(
        self, conversation: ConversationId, person: PersonId, key: str
    ) -> list[EntryId]:
        """Settings of one key that no other replaces (per person for keys of a profile)."""
        ...

    # Reading, delivery
    async def mark_read(
        self, conversation: ConversationId, arrival: int, thread: EntryId | None = None
    ) -> Conversation | None:
        """Everything that arrived up to `arrival` is read; the conversation if that changed it."""
        ...

    async def note_held(
        self, device: DeviceId, heads: Sequence[LogHead]
    ) -> dict[ConversationId, list[tuple[EntryId, int, int]]]:
        """A device says it holds logs up to these sequences; own messages whose count changed.

        A sequence or id that is not ours is kept out: only what we hold ourselves counts.
        """
        ...

    async def held_by(self, device: DeviceId) -> dict[LogKey, int]:
        """What a device is known to hold."""
        ...

    async def delivery(self, message: EntryId) -> Delivery:
        """Who holds an entry durably."""
        ...

    # Local matters, not in any log
    async def save_draft(self, draft: Draft) -> None:
        """Keep unsent text; an empty one is forgotten."""
        ...

    async def drafts(self) -> list[Draft]:
        """All drafts."""
        ...

    async def setting(self, key: str) -> str | None:
        """A local setting."""
        ...

    async def set_setting(self, key: str, value: str | None) -> None:
        """Keep or forget a local setting."""
        ...

    async def settings(self, prefix: str) -> dict[str, str]:
        """Local settings whose key begins with `prefix`."""
        ...

    async def remember_address(self, address: StoredAddress) -> None:
        """Keep where a device is; at most a few per device, the oldest go."""
        ...

    async def addresses(self) -> list[StoredAddress]:
        """Every remembered address."""
        ...

    async def save_recording(self, recording: Recording) -> None:
        """Keep how a recording of this person is now."""
        ...

    async def recordings(self) -> list[Recording]:
        """The recordings of this person, the newest first."""
        ...

    async def forget_recording(self, id: str) -> None:
        """Keep a recording no more."""
        ...

    async def counts(self) -> tuple[int, int, int]:
        """(conversations, messages, bytes of the store)."""
        ...

    async def aclose(self) -> None:
        """Finish what is queued and close the files."""
        ...


# --- network -----------------------------------------------------------------------------------


class Stream(Protocol):
    """One encrypted byte stream cut into frames; authenticates nobody by itself.

    Real streams keep order and lose nothing; the simulator's may lose, double and reorder frames,
    and the services must live with that.
    """

    @property
    def binding(self) -> bytes:
        """SHA-256 of the listener's TLS certificate, the same on both sides."""
        ...

    @property
    def remote(self) -> str:
        """``host:port`` of the other side."""
        ...

    @property
    def local(self) -> str:
        """``host:port`` of this side."""
        ...

    def send(self, frame: bytes) -> None:
        """Queue a frame. Never blocks. Past the bound of its buffer the stream is closed."""
        ...

    async def drain(self) -> None:
        """Wait until the buffer is below its low mark; bulk senders call it between frames."""
        ...

    async def receive(self) -> bytes:
        """The next frame; raises `EnvironmentFault` ``link_closed`` or `PeerError`."""
        ...

    def open_up(self, *, stranger: bool = False) -> None:
        """After the proofs: lift the time limit of the handshake and allow frames of full size.

        For a stranger the size stays at 4 KiB, until a later call without `stranger`.
        """
        ...

    def traffic(self) -> tuple[int, int]:
        """(bytes in, bytes out)."""
        ...

    async def aclose(self) -> None:
        """Close at once."""
        ...


class Transport(Protocol):
    """Makes and takes streams."""

    async def listen(
        self, addresses: Sequence[str], accept: Callable[[Stream], Awaitable[None]]
    ) -> list[str]:
        """Listen on ``host:port`` (port 0: any); answers with what was bound.

        `accept` runs per stream, in a task of the transport's; at most 64 of them before their
        proofs, 8 per address. Raises `EnvironmentFault` ``port_taken``.
        """
        ...

    async def dial(self, address: str, timeout_s: float) -> Stream:
        """Connect to ``host:port``; raises `EnvironmentFault` ``unreachable``."""
        ...

    async def addresses(self) -> list[str]:
        """``host:port`` at which others may reach what listens, the best first, at most 8."""
        ...

    async def aclose(self) -> None:
        """Stop listening and close every stream."""
        ...


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface that is up. `kind` as `services.values.InterfaceReport` has it;
    `addresses` with the length of their prefix, as ``192.168.1.5/24``."""

    name: str
    kind: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """The networks of this computer now. `sources`: for each host that was asked for, the own
    address from which packets to it leave, empty if there is no way to it."""

    interfaces: tuple[Interface, ...]
    sources: dict[str, str]


class Surveyor(Protocol):
    """Looks at the interfaces and routes of this computer. Sends nothing."""

    async def survey(self, hosts: Sequence[str]) -> Survey:
        """How things are now; of `hosts` only IP addresses are looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record seen on the network. A hint only: nothing in it is believed."""

    instance: str
    addresses: tuple[str, ...]
    tags: frozenset[bytes]
    gone: bool = False


class Discovery(Protocol):
    """Tells the network that somebody is here, and hears of others."""

    async def start(
        self, port: int, tag: Callable[[str], list[bytes]], seen: Callable[[Sighting], None]
    ) -> None:
        """Announce `port` under a random instance name, new each day and network.

        `tag(name)` gives the 8-byte tags to publish under that instance name, padded by the caller.
        Raises `EnvironmentFault` ``no_network``.
        """
        ...

    async def refresh(self) -> None:
        """The tags changed: announce anew."""
        ...

    async def aclose(self) -> None:
        """Say goodbye and stop."""
        ...
