"""What services tell the window and the API: plain values, never rows of a database.

All times are milliseconds since the Unix epoch in UTC (``_ms``); identifiers are the raw 32 bytes
of `folkmoot.domain.ids`. Every value is frozen: whoever holds one may keep it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.call_values import CallRecord


class ConversationKind(StrEnum):
    """Where messages live, as people see it."""

    CHANNEL = "channel"
    DIRECT = "direct"


class Role(StrEnum):
    """Level of a member in a team; see `folkmoot.domain.fold` for what each may do."""

    GUEST = "guest"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


class PresenceState(StrEnum):
    """What a person's devices say about the person; offline when none of them is linked."""

    ONLINE = "online"
    AWAY = "away"
    DND = "dnd"
    OFFLINE = "offline"


class LinkState(StrEnum):
    """Where a peer stands with us."""

    LINKED = "linked"
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"


class Way(StrEnum):
    """How a link came about. `NAT`: straight, through address translation, found with the help of a
    server; `RELAY`: a server hands everything on."""

    LAN = "lan"
    TYPED = "typed"
    DIRECT = "direct"
    NAT = "nat"
    RELAY = "relay"

    @property
    def rank(self) -> int:
        """Better is greater; a better way takes the place of a worse one."""
        return {Way.NAT: 1, Way.RELAY: 0}.get(self, 2)


class ServerPhase(StrEnum):
    """How the connection to a signaling server stands."""

    OFF = "off"
    CONNECTING = "connecting"
    READY = "ready"
    WAITING = "waiting"
    """It was lost or not reached; it is tried again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is. `words` are four words of the person key, for reading aloud."""

    person: PersonId
    device: DeviceId
    name: str
    device_name: str
    words: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person and the name to show for them."""

    person: PersonId
    name: str


@dataclass(frozen=True, slots=True)
class Team:
    """A team this person belongs to; `visible` is the switch for being seen on the network."""

    id: ConversationId
    name: str
    role: Role
    members: int
    visible: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a team; `devices` are the certified devices known to hold the team."""

    person: PersonId
    name: str
    role: Role
    devices: tuple[DeviceId, ...]
    is_me: bool


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation; `link` is the secret that is handed over, only known where it was made."""

    id: EntryId
    team: ConversationId
    link: str
    role: Role
    expires_at_ms: int | None
    uses_left: int | None


@dataclass(frozen=True, slots=True)
class JoinOutcome:
    """What came of an invitation: `state` is ``joined`` or ``pending``."""

    team: ConversationId
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class NearbyTeam:
    """A team that chose to be seen on this network.

    `asked` says that our request waits there; `words` are shown on both sides for comparing.
    """

    id: ConversationId
    name: str
    computers_online: int
    asked: bool
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A stranger asks to be let into a team; shown to those who may admit."""

    team: ConversationId
    person: PersonId
    device: DeviceId
    name: str
    note: str
    words: tuple[str, ...]
    asked_at_ms: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel or a direct conversation as the side bar shows it.

    `name` of a direct conversation is made of the other participants' names. `participants` is
    filled for directs only (all persons, oneself included). `team` is the team it is shown under.
    """

    id: ConversationId
    kind: ConversationKind
    name: str
    topic: str
    team: ConversationId | None
    participants: tuple[PersonId, ...]
    unread: int
    mentions: int
    messages: int
    last_activity_ms: int
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji under a message; `names` are at most ten of those who chose it."""

    emoji: str
    count: int
    mine: bool
    people: tuple[PersonId, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class OrderKey:
    """Place of a message in its conversation: display time, counter, then id (total order)."""

    wall_ms: int
    counter: int
    id: EntryId


@dataclass(frozen=True, slots=True)
class Sealed:
    """A server keeps an entry for a device that is away, in an envelope that only it can open."""

    device: DeviceId
    server: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it reads now, edits and deletion applied.

    `arrival` is a local number that grows with each entry stored here. `order` is its place in the
    conversation. `stored_on` counts computers known first-hand to hold it durably, this one
    included; `stored_of` all computers of the conversation's members. `client_id` is what the
    caller of `post` gave, on the posting node only.
    """

    id: EntryId
    conversation: ConversationId
    author: PersonId
    author_name: str
    device: DeviceId
    text: str
    thread: EntryId | None
    reply_to: EntryId | None
    also_in_channel: bool
    sent_at_ms: int
    arrived_at_ms: int
    arrival: int
    order: OrderKey
    mine: bool
    edited: bool
    deleted: bool
    body_missing: bool
    late: bool
    clock_wrong: bool
    reactions: tuple[Reaction, ...]
    reply_count: int
    last_reply_ms: int
    repliers: tuple[PersonName, ...]
    stored_on: int
    stored_of: int
    client_id: str = ""
    call: CallRecord | None = None
    """Set: this is the card of a call, and `text` is empty."""
    sealed: Sealed | None = None
    """Of an own message that no other computer is known to hold: where it waits for one of them,
    the one for which it waits the shortest."""


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive messages, oldest first.

    `first_ordinal` is how many messages of the same list precede the first one; `total` is the
    length of the whole list (a channel's timeline, or one thread). `has_older` / `has_newer` say
    whether the list goes on at either side.
    """

    messages: tuple[Message, ...]
    first_ordinal: int
    total: int
    has_older: bool
    has_newer: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread by its first message."""

    id: EntryId
    conversation: ConversationId
    reply_count: int
    participants: tuple[PersonName, ...]
    last_reply_ms: int
    unread: int


@dataclass(frozen=True, slots=True)
class Revision:
    """One text that a message had."""

    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """Which computers hold an entry durably, first-hand, and which are not known to.

    `sealed`: for which of the latter it waits at a server now; that is no promise that it arrives.
    """

    stored_on: tuple[DeviceId, ...]
    missing: tuple[DeviceId, ...]
    sealed: tuple[Sealed, ...] = ()


def soonest(sealed: Iterable[Sealed]) -> Sealed | None:
    """The one that ends first."""
    return min(sealed, key=lambda kept: kept.until_ms, default=None)


@dataclass(frozen=True, slots=True)
class Presence:
    """A person's presence; `until_ms` is when a custom text ends."""

    person: PersonId
    state: PresenceState
    text: str
    until_ms: int | None
    devices: int


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody writes in a conversation (`thread` None) or in one of its threads."""

    conversation: ConversationId
    thread: EntryId | None
    person: PersonId
    name: str
    on: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """A device that we have, or could have, a link to."""

    device: DeviceId
    person: PersonId
    name: str
    state: LinkState
    way: Way
    address: str
    rtt_ms: float | None
    last_seen_ms: int | None


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts for the person and the API."""

    conversations: int
    messages: int
    members_online: int
    links: int
    calls: int
    bytes_in: int
    bytes_out: int
    store_bytes: int
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsent text of a conversation, or of one of its threads."""

    conversation: ConversationId
    thread: EntryId | None
    text: str


@dataclass(frozen=True, slots=True)
class FirstPage:
    """What the window draws before the node runs: the state in which it was left.

    `team` and `conversation` are the ones last open, `page` the newest messages there. `settings`
    are the local settings whose key begins with ``window.``.
    """

    me: PersonId
    name: str
    teams: tuple[Team, ...]
    team: ConversationId | None
    conversations: tuple[Conversation, ...]
    conversation: ConversationId | None
    page: Page | None
    drafts: tuple[Draft, ...]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Server:
    """A signaling server of this person. `words`, `hint`: why it is not ready and what to do.

    `people`: how many devices of our teams are there now. `mail_s`: for how long it keeps sealed
    envelopes, 0 if it keeps none. `turn`: it offers relays for calls. `typed`: added by the person;
    otherwise it came with an invitation or on the command line.
    """

    url: str
    phase: ServerPhase
    words: str = ""
    hint: str = ""
    rtt_ms: float | None = None
    people: int = 0
    mail_s: int = 0
    turn: bool = False
    typed: bool = True


class Outcome(StrEnum):
    """What came of trying a way to a peer."""

    REACHED = "reached"
    FAILED = "failed"
    TRYING = "trying"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class WayReport:
    """What was tried to reach a device one way.

    `way`: ``mdns``, ``remembered``, ``typed``, ``gossip``, ``nat``, ``relay``. `code` says what
    answered (``ok``, ``refused``, ``no_answer``, ``no_route``, ``not_folkmoot``, ``other_device``,
    ``unknown_key``, ``name_unknown``, ``no_server``, ``not_there``, ``no_direct_way``,
    ``own_address``, ``not_seen``, ``never_seen``, ``silent``, ``broke``, ``bad_version``,
    ``bad_certificate``, ``clock``, ``server_away``); `cause` is the likely reason (``firewall``,
    ``subnet``, ``isolation``, ``vpn``, ``clock``, ``offline``, ``nat``, ``moved``, ``key``,
    ``program``, ``name``, ``server``, ``version``, ``certificate``, ``unseen``, ``no_network``, or
    empty). `answer` and `advice` say both in words, without names.
    """

    way: str
    address: str
    outcome: Outcome
    code: str
    answer: str
    cause: str = ""
    advice: str = ""
    took_ms: float | None = None
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PeerReport:
    """One device of somebody of our teams. `why`: in words, why it is reached as it is, or not."""

    device: DeviceId
    person: PersonId
    name: str
    device_name: str
    state: LinkState
    way: Way | None
    why: str
    rtt_ms: float | None
    ways: tuple[WayReport, ...]
    advice: str = ""
    """What would help most."""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """A typed range of addresses that is looked through, or was. `total` addresses, `tried` so far.

    `found`: where a computer of our teams answered. `answers`: how often each code came.
    """

    range: str
    total: int
    tried: int
    found: tuple[str, ...]
    answers: tuple[tuple[str, int], ...]
    over: bool


@dataclass(frozen=True, slots=True)
class InterfaceReport:
    """A network that this computer is on. `kind`: ``cable``, ``wireless``, ``vpn``, ``virtual``,
    ``loopback``, ``unknown``. `addresses` with the length of their prefix: ``192.168.1.5/24``."""

    name: str
    addresses: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What the connection doctor found; plain values, with the words a person reads.

    `discovery`: ``on``, ``off``, ``failed``. `summary`: the one sentence that matters most.
    """

    at_ms: int
    version: str
    summary: str
    listening: tuple[str, ...]
    interfaces: tuple[InterfaceReport, ...]
    discovery: str
    seen: int
    """Records of our teams seen by mDNS."""
    servers: tuple[Server, ...]
    peers: tuple[PeerReport, ...]
    advice: tuple[str, ...]
    """What to do about this computer itself."""
    others: tuple[WayReport, ...] = ()
    """Typed addresses and records of our teams of which it is not known whose they are."""
    scans: tuple[ScanReport, ...] = ()
    """Typed ranges, the newest last."""
