"""Frames and bodies that keep to the form and make no sense, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from folkmoot.domain.bodies import (
    Body,
    CallBody,
    Channel,
    Delete,
    Edit,
    Grant,
    Invite,
    Level,
    MessageBody,
    React,
    RecordingBody,
    Set,
)
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.frames import Frame

NUMBERS = (0, 1, 2, 5, 100, 10**6, 2**31, 2**53, 2**63 - 1)
TEXTS = (
    *("", "a", "\u202e live \u2066", "\x07\x1b[2J", "\u200b", "\ufdfd" * 20, "%s%n{0}", "../../x"),
    *(
        "👩\u200d👩\u200d👧\u200d👦" * 8,
        "é" * 40,
        "a" * 80,
        "<img src=file:///etc/passwd>",
        "\ud7ff",
    ),
)
NAMES = ("a", "é" * 40, "a" * 80, "<b>", "../../x", "👩\u200d👧" * 8, "%s")
ADDRESSES = ("127.0.0.1:1", "[::1]:22", "x:0", "::", "10.0.0.1:7000", "a" * 270, "h:99999", "\0:1")
COUNTS = (0, 1, 5, 50)


class Nonsense:
    """Draws from `random`; `ids` are ones that mean something, so that much of it fits."""

    def __init__(self, random: random.Random, ids: list[bytes]) -> None:
        self._random = random
        self.ids = ids

    def _id(self) -> bytes:
        known = self._random.random() < 0.8
        return self._random.choice(self.ids) if known else self._random.randbytes(32)

    def _ids(self, most: int = 200) -> tuple[EntryId, ...]:
        return tuple(EntryId(self._id()) for _ in range(self._random.choice((0, 1, 5, most))))

    def _yes(self) -> bool:
        return self._random.random() < 0.5

    def frame(self) -> Frame:
        """One frame of a kind that a member may send, segments left out."""
        pick, count = self._random.choice, range(self._random.choice(COUNTS))
        conversation = ConversationId(self._id())
        kinds: tuple[Callable[[], Frame], ...] = (
            lambda: frames.Digest(self._id()),
            lambda: frames.Digests(
                tuple((ConversationId(self._id()), self._id()) for _ in count), self._yes()
            ),
            lambda: frames.Vectors(
                conversation,
                tuple(
                    frames.VectorRow(
                        DeviceId(self._id()),
                        EntryId(self._id()),
                        pick(NUMBERS),
                        EntryId(self._id()),
                    )
                    for _ in count
                ),
                self._yes(),
            ),
            lambda: frames.Ack(
                conversation,
                tuple(
                    (DeviceId(self._id()), EntryId(self._id()), pick(NUMBERS), EntryId(self._id()))
                    for _ in count
                ),
            ),
            lambda: frames.Want(conversation, self._ids(256)),
            lambda: frames.Bodies(
                conversation,
                tuple(
                    (id, self._random.randbytes(pick((0, 1, 20, 32_768)))) for id in self._ids(5)
                ),
            ),
            lambda: frames.Typing(conversation, EntryId(self._id()), self._yes()),
            lambda: frames.Presence(pick(("online", "away", "dnd")), pick(NAMES), pick(NUMBERS)),
            lambda: frames.Addresses(
                tuple(
                    (DeviceId(id), tuple(pick(ADDRESSES) for _ in range(8))) for id in self._ids(64)
                )
            ),
            self._call_state,
            lambda: frames.CallOffer(self._id(), pick((1, 2, 2**31 - 1)), "v=0\r\n"),
            lambda: frames.CallAnswer(self._id(), pick((1, 2, 2**31 - 1)), "v=0\r\n"),
            lambda: frames.CallAgain(self._id(), pick((0, 1, 2**31 - 1))),
            lambda: frames.CallAct(
                self._id(), pick(("mute", "remove", "lock", "unlock", "end")), PersonId(self._id())
            ),
            lambda: frames.CallInk(
                *(self._id(), self._id(), pick(("point", "gone", "stroke", "clear", "zzz"))),
                *(pick(NUMBERS), (pick((0, 65_535)),) * pick((0, 1, 2, 3, 128))),
            ),
            lambda: frames.CallReact(self._id(), pick(("a", "👏", "\U0001f3f3"))),
            lambda: frames.TeamsWanted(),
            lambda: frames.Teams(
                tuple(
                    frames.TeamRow(ConversationId(id), pick(NAMES), pick(NUMBERS), self._yes())
                    for id in self._ids(16)
                )
            ),
            lambda: frames.Ask(conversation, pick(NAMES), pick(NAMES), self._id()),
            lambda: frames.Asked(conversation, pick(("waiting", "admitted", "zzz")), self._id()),
            lambda: frames.Reveal(conversation, self._id()),
            lambda: frames.Join(conversation, EntryId(self._id()), "n", self._id() * 2),
            lambda: frames.Joined(conversation, pick(("ok", "already", "zzz")), "w"),
            lambda: frames.Hello(1, "v", pick(NAMES), pick((0, 1, 65_535)), ADDRESSES[:3]),
        )
        return pick(kinds)()

    def _call_state(self) -> Frame:
        """How a device may stand in a call, mostly one that means something."""
        pick = self._random.choice
        return frames.CallState(
            call=self._id(),
            conversation=ConversationId(self._id()),
            sequence=pick(NUMBERS),
            state=pick(("joined", "left", "declined", "busy")),
            flags=pick(range(256)),
            started_ms=pick(NUMBERS),
            started_by=PersonId(self._id()),
            rings=tuple(PersonId(self._id()) for _ in range(pick((0, 1, 64)))),
        )

    def body(self) -> Body:
        """One body of any kind; it may break bounds that are looked at when it is encoded."""
        pick, text = self._random.choice, self._random.choice(TEXTS)
        kinds: tuple[Callable[[], Body], ...] = (
            lambda: MessageBody(
                text,
                EntryId(self._id()),
                EntryId(self._id()),
                self._yes(),
                tuple(PersonId(id) for id in self._ids()),
                (b"x",) * pick((0, 1, 32)),
            ),
            lambda: MessageBody(pick(("w" * 24 * 1024, "🙂" * 6000, "hi"))),
            lambda: Edit(EntryId(self._id()), text, (), self._ids()),
            lambda: Delete(EntryId(self._id())),
            lambda: React(
                EntryId(self._id()), pick(("👍", "x", "\u200d", "</b>")), self._yes(), ()
            ),
            lambda: Set(
                pick(("name", "topic", "visible", "secret", "profile/name", "profile/x", "z" * 64)),
                pick((None, True, 0, 2**63 - 1, "x" * 900, text, b"", b"s" * 32)),
                self._ids(50),
            ),
            lambda: Channel(pick(NAMES), pick(list(Level))),
            lambda: Invite(
                self._id(), pick(list(Level)), self._yes(), (), pick((0, 5, 2**32 - 1)), 5, 0
            ),
            lambda: Grant(PersonId(self._id()), pick(list(Level)), self._yes()),
            lambda: CallBody(self._id(), pick((1, 2, 3)), self._yes(), (), pick(NUMBERS[:7])),
            lambda: RecordingBody(self._id(), pick((1, 2, 3)), pick(NUMBERS[:7])),
        )
        return pick(kinds)()
