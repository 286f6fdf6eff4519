"""The machine of one link: what it sends, asks and remembers, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builders.rooms import Room, make_room
from folkmoot.domain.entry import Entry, LogHead
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey
from folkmoot.protocol import frames
from folkmoot.protocol.digest import conversation_digest, overall_digest
from folkmoot.protocol.replication import (
    FORWARD_AFTER_S,
    RETRY_S,
    ROUND_S,
    WINDOW_SEGMENTS,
    LinkSync,
    Position,
    Read,
)


class Shelf:
    """`Holdings` of entries that a test puts there; everything may be seen unless it is hidden."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: dict[LogKey, list[Entry]] = {}
        self.hidden: set[ConversationId] = set()
        self.put(entries)

    def put(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.entries.setdefault(entry.log, []).append(entry)

    def offered(self) -> list[ConversationId]:
        held = {log.conversation for log in self.entries} - self.hidden
        return sorted(held)

    def offers(self, conversation: ConversationId) -> bool:
        return conversation not in self.hidden

    def takes(self, conversation: ConversationId) -> bool:
        return conversation not in self.hidden

    def is_team(self, conversation: ConversationId) -> bool:
        return any(
            log.conversation == conversation and log.grant == bytes(32) for log in self.entries
        )

    def logs(self, conversation: ConversationId) -> Mapping[LogKey, Position]:
        return {
            log: Position(len(held), held[-1].id)
            for log, held in self.entries.items()
            if log.conversation == conversation
        }

    def digest(self, conversation: ConversationId) -> bytes:
        logs = self.logs(conversation)
        return conversation_digest(LogHead(log, *position) for log, position in logs.items())

    def digest_of_all(self, conversations: Iterable[ConversationId]) -> bytes:
        return overall_digest((c, self.digest(c)) for c in conversations)

    def read(self, read: Read) -> list[Entry]:
        return self.entries[read.log][read.first - 1 : read.first + 255]


def _of(out: Iterable[frames.Frame], kind: type[frames.Frame]) -> list[frames.Frame]:
    return [frame for frame in out if isinstance(frame, kind)]


def _even_pair(room: Room) -> tuple[Shelf, LinkSync]:
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    sync.begin(0.0)
    sync.digest(frames.Digest(shelf.digest_of_all(shelf.offered())), 0.0)
    return shelf, sync


def test_nothing_new_costs_one_round_trip() -> None:
    room = make_room("ann", "ben")
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    [mine] = sync.begin(0.0)
    assert isinstance(mine, frames.Digest)
    out, held = sync.digest(mine, 0.0)
    assert out == []
    assert len(held) == len(shelf.entries)
    assert sync.next_read() is None
    assert sync.due() == ROUND_S


def test_a_team_is_asked_for_before_its_channels() -> None:
    room = make_room("ann", "ben")
    room.say(room.owner, "hello")
    other = make_room("ann", "ben", "cyd")
    other.say(other.owner, "else")
    sync = LinkSync(Shelf(room.entries()), 1.0)
    sync.begin(0.0)
    rows = tuple((c, bytes(32)) for c in sorted([room.channel, room.team]))
    out, _ = sync.digests(frames.Digests(rows, False), 0.0)
    asked = [frame.conversation for frame in out if isinstance(frame, frames.Vectors)]
    assert asked == [room.team, room.channel]


def test_what_the_vectors_lack_is_read_and_sent_from_there() -> None:
    room = make_room("ann", "ben")
    for number in range(5):
        last = room.say(room.owner, f"note {number}")
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    third = shelf.entries[last.log][2]
    row = frames.VectorRow(last.log.device, last.log.grant, 3, third.id)
    sync.vectors(frames.Vectors(room.channel, (row,), False), 0.0)
    read = sync.next_read()
    assert read == Read(last.log, 4)
    [sent] = sync.loaded(read, shelf.read(read), 0.0)
    assert isinstance(sent, frames.Segment)
    assert sent.first == 4
    assert sync.next_read() is None


def test_who_listed_a_conversation_gets_what_is_written_there_before_all_is_compared() -> None:
    """Two who write all the time: the peer found itself even with what we have left behind since,
    and never answers our first digest."""
    room = make_room("ann", "ben")
    last = room.say(room.owner, "first")
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    sync.begin(0.0)
    row = frames.VectorRow(last.log.device, last.log.grant, last.header.sequence, last.id)
    sync.vectors(frames.Vectors(room.channel, (row,), False), 0.1)
    assert sync.next_read() is None
    entry = room.say(room.owner, "second")
    shelf.put([entry])
    [pushed] = sync.committed([entry], 0.2, origin="own")
    assert isinstance(pushed, frames.Segment)
    sync.begin(0.3)
    third = room.say(room.owner, "third")
    shelf.put([third])
    assert sync.committed([third], 0.4, origin="own") == []
    assert sync.due() < 1.5


def _head(entry: Entry) -> tuple[DeviceId, EntryId, int, EntryId]:
    return entry.log.device, entry.log.grant, entry.header.sequence, entry.id


def test_who_lists_nothing_that_is_lacking_is_told_that_it_is_held() -> None:
    room = make_room("ann", "ben")
    room.say(room.owner, "first")
    last = room.say(room.owner, "second")
    sync = LinkSync(Shelf(room.entries()), 1.0)
    held = last.header.sequence
    for high, answer in (
        (held, frames.Ack),
        (held - 1, frames.Ack),
        (held + 1, frames.Vectors),
    ):
        row = frames.VectorRow(last.log.device, last.log.grant, high, last.id)
        [said], _ = sync.vectors(frames.Vectors(room.channel, (row,), False), float(high))
        assert type(said) is answer
        if isinstance(said, frames.Ack):
            assert [(row[0], row[2]) for row in said.rows] == [(last.log.device, high)]


def test_what_is_written_while_the_peer_is_asked_goes_out_when_it_says_what_it_holds() -> None:
    """Its digest was older than our newest entry, which it had got when we asked: it was even then,
    and asked nothing."""
    room = make_room("ann", "ben")
    last = room.say(room.owner, "first")
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    sync.begin(0.0)
    asked, _ = sync.digests(frames.Digests(((room.channel, bytes(32)),), False), 0.1)
    assert room.channel in [each.conversation for each in asked if isinstance(each, frames.Vectors)]
    held_back = room.say(room.owner, "second")
    shelf.put([held_back])
    assert sync.committed([held_back], 0.2, origin="own") == []
    assert sync.next_read() is None
    sync.ack(frames.Ack(room.channel, (_head(last),)), 0.3)
    read = sync.next_read()
    assert read == Read(last.log, held_back.header.sequence)
    sync.loaded(read, shelf.read(read), 0.3)
    assert sync.next_read() is None
    third = room.say(room.owner, "third")
    shelf.put([third])
    [pushed] = sync.committed([third], 0.4, origin="own")
    assert isinstance(pushed, frames.Segment)
    # What may be shown has changed: compared anew.
    sync.begin(0.5)
    fourth = room.say(room.owner, "fourth")
    shelf.put([fourth])
    assert sync.committed([fourth], 0.6, origin="own") == []


def test_an_own_entry_is_pushed_at_once_to_who_is_even() -> None:
    room = make_room("ann", "ben")
    room.say(room.owner, "first")
    shelf, sync = _even_pair(room)
    entry = room.say(room.owner, "second")
    shelf.put([entry])
    [pushed] = sync.committed([entry], 1.0, origin="own")
    assert isinstance(pushed, frames.Segment)
    assert pushed.headers == (entry.header_bytes,)


def test_anothers_entry_is_forwarded_after_a_second_unless_it_is_acknowledged() -> None:
    room = make_room("ann", "ben", "cyd")
    room.say(room.owner, "first")
    for acknowledged in (False, True):
        entry = room.say(room.others[0], f"of another {acknowledged}")
        shelf, sync = _even_pair(room)
        more = room.say(room.others[0], "and more")
        shelf.put([more])
        sync.committed([more], 1.0, origin="other")
        assert sync.next_read() is None
        if acknowledged:
            row = (more.log.device, more.log.grant, more.header.sequence, more.id)
            sync.ack(frames.Ack(room.channel, (row,)), 1.5)
        sync.tick(1.0 + FORWARD_AFTER_S)
        expected = None if acknowledged else Read(entry.log, more.header.sequence)
        assert sync.next_read() == expected


def test_an_entry_of_the_peer_is_acknowledged_after_the_commit_and_not_sent_back() -> None:
    room = make_room("ann", "ben")
    shelf, sync = _even_pair(room)
    entry = room.say(room.others[0], "from the peer")
    log = [e for e in room.entries() if e.log == entry.log]
    shelf.put(log)
    out = sync.committed(log, 1.0, origin="peer")
    [ack] = _of(out, frames.Ack)
    assert isinstance(ack, frames.Ack)
    assert ack.rows == ((entry.log.device, entry.log.grant, len(log), entry.id),)
    sync.tick(5.0)
    assert sync.next_read() is None


def test_a_hidden_conversation_is_neither_sent_nor_asked_for() -> None:
    room = make_room("ann", "ben")
    entry = room.say(room.owner, "secret")
    shelf = Shelf(room.entries())
    shelf.hidden.add(room.channel)
    sync = LinkSync(shelf, 1.0)
    sync.begin(0.0)
    out, _ = sync.vectors(frames.Vectors(room.channel, (), False), 0.0)
    out += sync.digests(frames.Digests(((room.channel, bytes(32)),), False), 0.0)[0]
    out += sync.committed([entry], 0.0, origin="own")
    sync.tick(10.0)
    assert room.channel not in {getattr(frame, "conversation", None) for frame in out}
    read = sync.next_read()
    assert read is None or read.log.conversation != room.channel


def test_sight_lost_between_reading_and_sending_sends_nothing() -> None:
    room = make_room("ann", "ben")
    room.say(room.owner, "secret")
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    sync.vectors(frames.Vectors(room.channel, (), False), 0.0)
    read = sync.next_read()
    assert read is not None
    shelf.hidden.add(room.channel)
    assert sync.loaded(read, shelf.read(read), 0.0) == []


def test_without_acknowledgement_a_segment_is_sent_again_ever_later() -> None:
    room = make_room("ann", "ben")
    room.say(room.owner, "first")
    shelf, sync = _even_pair(room)
    entry = room.say(room.owner, "lost")
    shelf.put([entry])
    sync.committed([entry], 0.0, origin="own")
    sync.tick(RETRY_S)
    read = sync.next_read()
    assert read == Read(entry.log, entry.header.sequence)
    sync.loaded(read, shelf.read(read), RETRY_S)
    sync.tick(2 * RETRY_S)
    assert sync.next_read() is None
    sync.tick(3 * RETRY_S)
    assert sync.next_read() == read


def test_no_more_than_a_window_is_on_its_way() -> None:
    room = make_room("ann", "ben")
    for number in range(WINDOW_SEGMENTS + 5):
        entry = room.say(room.owner, f"note {number}")
    shelf = Shelf(room.entries())
    sync = LinkSync(shelf, 1.0)
    sync.vectors(frames.Vectors(room.channel, (), False), 0.0)
    sent = 0
    while (read := sync.next_read()) is not None:
        sync.loaded(read, shelf.read(read)[:1], 0.0)
        sent += 1
    assert sent == WINDOW_SEGMENTS
    row = (entry.log.device, entry.log.grant, 3, shelf.entries[entry.log][2].id)
    sync.ack(frames.Ack(room.channel, (row,)), 0.1)
    assert sync.next_read() is not None


def test_an_acknowledgement_beyond_what_is_held_counts_only_for_what_both_hold() -> None:
    room = make_room("ann", "ben")
    entry = room.say(room.owner, "hello")
    shelf, sync = _even_pair(room)
    held = len(shelf.entries[entry.log])
    row = (entry.log.device, entry.log.grant, 999, EntryId(bytes(31) + b"x"))
    [head] = sync.ack(frames.Ack(room.channel, (row,)), 1.0)
    assert head == LogHead(entry.log, held, entry.id)
    later = sync.tick(1.0 + 2 * FORWARD_AFTER_S)
    assert [frame for frame in later if isinstance(frame, frames.Vectors)]
