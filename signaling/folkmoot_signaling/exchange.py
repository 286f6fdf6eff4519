"""What a node says to Redis and to other nodes, and what it hears: commands, answers, messages.

Pure: commands are taken in rounds and sent by `redis_bus`, time is an argument. Under one name a
node says everything once, then what changes, and everything again now and then, since what it said
ends by itself. Refuses to wait for anything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling import channel
from folkmoot_signaling.bus import Local
from folkmoot_signaling.channel import read_message, write_epoch, write_record
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.epochs import Epochs
from folkmoot_signaling.far import FarDevices, FarPlace
from folkmoot_signaling.here import MAX_WAITING, Here, Outbox

NODE_S: Final = 5.0
"""A node that has said nothing for so long is dead."""
GRACE_S: Final = 6.0
"""After a beginning nobody is missed: the others may have to begin as well."""
SWEEP_S: Final = 60.0
ENTRY_S: Final = 180.0
"""What was said holds for so long; it is said again every `SWEEP_S`."""

Command = tuple[Any, ...]
Handler = Callable[[Any], None]
Commands = list[tuple[Command, Handler | None]]


class Trouble(Exception):
    """Redis answers, but not as it should: begin again."""


class Exchange:
    """One node of a server, as the others see it, and what it knows of them."""

    def __init__(
        self,
        prefix: str,
        epochs: Epochs,
        counters: Counters,
        room_devices: int,
        now_s: Callable[[], float],
    ) -> None:
        self.node = b""
        self.hashes: dict[str, str] = {}
        """Of the scripts, as Redis names them."""
        self.here = Here()
        self.far = FarDevices()
        self.out = Outbox()
        self.epochs = epochs
        self.mailed: dict[DeviceId, None] = {}
        """Devices for which an envelope came at another node."""
        self.beat_due = False
        self.heard_s = 0.0
        """When our own beat came back on our channel."""
        self.local: Local
        self._prefix = prefix.encode()
        self._counters = counters
        self._room_devices = room_devices
        self._now_s = now_s
        self._trusted_s = self._swept_s = 0.0

    def begin(self, node: bytes) -> None:
        """Under a new name: everything is to be said, and nobody is missed for a while."""
        self.node = node
        self.here = Here()
        for device, epoch, tags in self.local.standing():
            self.here.announce(device, epoch)
            for tag in tags:
                self.here.enter(tag, device)
        for tag in self.far.tags():
            if not self.here.has(tag):
                self.far.forget_tag(tag)
        self.heard_s = self._now_s()
        self._trusted_s = self._swept_s = self.heard_s + GRACE_S
        self.beat_due = True

    def lose(self) -> None:
        """Redis is away: what waits for it is thrown away."""
        self.here = Here()
        self.out.clear()
        self.epochs.give_up()

    # --- saying -----------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        """Whether there is something to say."""
        return bool(self.beat_due or self.here or self.out or self.epochs)

    def take(self) -> Commands:
        """The next round."""
        commands: Commands = []
        if self.beat_due:
            self.beat_due = False
            self._add_beat(commands)
        self._add_claims(commands)
        self._add_places(commands)
        self._add_rooms(commands)
        for node, records in self.out.take().items():
            commands.append((self._publish(node, b"".join(records)), None))
        return commands

    def last(self) -> Commands:
        """The end of this node."""
        goodbye = write_record(channel.QUIT, b"")
        commands: Commands = [(("DEL", self.key("node:", self.node)), None)]
        return commands + [(self._publish(node, goodbye), None) for node in self.far.nodes()]

    def alive(self, node: bytes) -> Command:
        """Say that a node lives; the answer is whether that was known."""
        return ("SET", self.key("node:", node), b"1", "PX", int(NODE_S * 1000), "GET")

    def _add_beat(self, commands: Commands) -> None:
        now_s = self._now_s()
        for place in self.far.over(now_s):
            self.local.far_went(*place)
        if now_s >= self._swept_s:
            self._swept_s = now_s + SWEEP_S
            self.here.repeat()
        commands.append((self.alive(self.node), self._still_known))
        commands.append((self._publish(self.node, write_record(channel.BEAT, b"")), None))
        commands.append((("TIME",), self._told_time))
        nodes = sorted(self.far.nodes())
        if nodes and now_s >= self._trusted_s:
            look = functools.partial(self._look_alive, nodes)
            commands.append((("MGET", *(self.key("node:", node) for node in nodes)), look))
            channels = [self.channel(node) for node in nodes]
            commands.append((("PUBSUB", "NUMSUB", *channels), lambda found: look(found[1::2])))

    def _still_known(self, before: bytes | None) -> None:
        if before is None:
            raise Trouble("Redis has forgotten this node")

    def _told_time(self, answer: Any) -> None:
        self.epochs.set_clock(int(answer[0]) * 1_000_000 + int(answer[1]))

    def _look_alive(self, nodes: list[bytes], found: list[Any]) -> None:
        for node, alive in zip(nodes, found, strict=True):
            if not alive:
                self.far.dead(node, self._now_s())

    def _add_claims(self, commands: Commands) -> None:
        waiting = self.epochs.take()
        if waiting:
            least = self.epochs.last + 1
            command = self._script("claim", self.key("epoch"), len(waiting), least)
            commands.append((command, lambda first: self.epochs.give(waiting, int(first))))

    def _add_places(self, commands: Commands) -> None:
        for device, epoch in self.here.take_gone():
            value = self.node + write_epoch(epoch)
            commands.append((self._script("leave", self.key("at:", device), value), None))
        life = int(ENTRY_S * 1000)
        for device, epoch in self.here.take_placed():
            words = (self._prefix, self.node, device, write_epoch(epoch), life)
            command = self._script("place", self.key("at:", device), *words)
            commands.append((command, functools.partial(self._placed, device)))
        for device in self.out.take_mail():
            key = self.key("at:", device)
            commands.append((self._script("mail", key, self._prefix, self.node, device), None))

    def _placed(self, device: DeviceId, newer: bytes) -> None:
        if newer:
            self.local.far_login(device, channel.read_epoch(newer))

    def _add_rooms(self, commands: Commands) -> None:
        life = int(ENTRY_S * 1000)
        for tag in self.here.take_rooms():
            words: list[Any] = [self._prefix, self.node, life, self._room_devices, tag]
            for device, epoch in self.here.members(tag):
                words += (device, write_epoch(epoch))
            command = self._script("room", self.key("room:", tag), *words)
            commands.append((command, functools.partial(self._room, tag)))

    def _room(self, tag: bytes, others: list[bytes]) -> None:
        """Who is under a tag elsewhere."""
        if not self.here.has(tag):
            return
        present = set()
        for device, place in zip(others[::2], others[1::2], strict=True):
            node, epoch = place[: channel.NODE_BYTES], place[channel.NODE_BYTES :]
            present.add(DeviceId(device))
            self._came(FarPlace(tag, DeviceId(device), channel.read_epoch(epoch)), node)
        if self._now_s() >= self._trusted_s:
            self.far.missing(tag, present, self._now_s())

    # --- hearing ----------------------------------------------------------------------------------

    def hear(self, data: bytes) -> None:
        """A message on the channel of this node. Raises ValueError if it is none."""
        heard = read_message(data)
        far_frame = self.local.far_frame
        for destination, frame in heard.frames:
            if not far_frame(DeviceId(destination), frame):
                gone = frame[1 : 1 + channel.DEVICE_BYTES] + destination
                self.out.say(heard.node, write_record(channel.GONE, gone))
        for kind, body in heard.records:
            self._hear_record(heard.node, kind, body)

    def _hear_record(self, node: bytes, kind: bytes, body: bytes) -> None:
        if kind == channel.ROOM:
            part = channel.read_room(body)
            for came, device, epoch in part.changes:
                place = FarPlace(part.tag, device, epoch)
                if came:
                    self._came(place, node)
                elif self.far.node(device) == node:
                    self.far.went(place, self._now_s())
        elif kind == channel.LOGIN:
            self.local.far_login(*channel.read_login(body))
        elif kind == channel.GONE:
            source, destination = body[: channel.DEVICE_BYTES], body[channel.DEVICE_BYTES :]
            self.local.far_gone(DeviceId(source), DeviceId(destination))
        elif kind == channel.MAIL and len(self.mailed) < MAX_WAITING:
            self.mailed[DeviceId(body)] = None
        elif kind == channel.BEAT and node == self.node:
            self.heard_s = self._now_s()
        elif kind == channel.QUIT:
            self.far.dead(node, self._now_s())

    def _came(self, place: FarPlace, node: bytes) -> None:
        if not self.here.has(place.tag) or node == self.node:
            return
        # Here with a greater epoch: what was said is an old story.
        if self.here.epochs.get(place.device, 0) <= place.epoch and self.far.came(place, node):
            self.local.far_came(*place)

    # --- names ------------------------------------------------------------------------------------

    def key(self, kind: str, name: bytes = b"") -> bytes:
        """A key of this server in Redis."""
        return self._prefix + kind.encode() + name

    def channel(self, node: bytes) -> bytes:
        """On which a node listens."""
        return self.key("to:", node)

    def _publish(self, node: bytes, records: bytes) -> Command:
        return ("PUBLISH", self.channel(node), channel.VERSION + self.node + records)

    def _script(self, name: str, key: bytes, *words: Any) -> Command:
        return ("EVALSHA", self.hashes[name], 1, key, *words)
