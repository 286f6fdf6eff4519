"""The words of the timeline: times, days, marks, sentences, in the person's language and zone."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from folkmoot.services.call_values import CallRecord
from folkmoot.services.values import Message, Sealed
from folkmoot.ui.connections.names import server_name
from folkmoot.ui.timeline.callwords import CallWords, LiveCall, say_call
from folkmoot.ui.timeline.peertext import calm, isolate
from folkmoot.ui.timeline.recorded import recorded_lines


def _tr(text: str, count: int = -1) -> str:
    return QCoreApplication.translate("Timeline", text, "", count)


class Wording:
    """Makes every string that the timeline paints; `locale` decides formats, not language."""

    def __init__(self, locale: QLocale | None = None) -> None:
        self._locale = locale or QLocale()

    def time(self, at_ms: int) -> str:
        """Hour and minute."""
        return self._locale.toString(
            QDateTime.fromMSecsSinceEpoch(at_ms).time(), QLocale.FormatType.ShortFormat
        )

    def day_number(self, at_ms: int) -> int:
        """A number that is the same for two times on one local day."""
        return QDateTime.fromMSecsSinceEpoch(at_ms).date().toJulianDay()

    def day(self, at_ms: int, now_ms: int) -> str:
        """ "Today", "Yesterday", "Thursday 19 November", with the year if it is another one."""
        date = QDateTime.fromMSecsSinceEpoch(at_ms).date()
        today = QDateTime.fromMSecsSinceEpoch(now_ms).date()
        back = date.daysTo(today)
        if back == 0:
            return _tr("Today")
        if back == 1:
            return _tr("Yesterday")
        pattern = "dddd d MMMM" if date.year() == today.year() else "d MMMM yyyy"
        return self._locale.toString(date, pattern)

    def moment(self, at_ms: int, now_ms: int) -> str:
        """The time, with the date when it is not today (thread pane)."""
        if self.day_number(at_ms) == self.day_number(now_ms):
            return self.time(at_ms)
        date = QDateTime.fromMSecsSinceEpoch(at_ms).date()
        return f"{self._locale.toString(date, 'd MMM')}, {self.time(at_ms)}"

    def full(self, at_ms: int) -> str:
        """Date and time, for tool tips and copies."""
        return self._locale.toString(QDateTime.fromMSecsSinceEpoch(at_ms), "d MMM yyyy HH:mm")

    def ago(self, at_ms: int, now_ms: int) -> str:
        """ "20 minutes ago", or the day."""
        minutes = max(0, now_ms - at_ms) // 60_000
        if minutes < 1:
            return _tr("just now")
        if minutes < 60:
            return _tr("1 minute ago") if minutes == 1 else _tr("%n minutes ago", minutes)
        if self.day_number(at_ms) == self.day_number(now_ms):
            hours = minutes // 60
            return _tr("1 hour ago") if hours == 1 else _tr("%n hours ago", hours)
        return self.day(at_ms, now_ms)

    def late(self, message: Message) -> str:
        """The mark of a late message; the author line has the other time."""
        return _tr("arrived late, {time}").format(time=self.time(message.arrived_at_ms))

    def clock_wrong(self) -> str:
        """The mark of a message whose sender's clock is off."""
        return _tr("clock wrong")

    def edited(self) -> str:
        """The mark of an edited message."""
        return _tr("edited")

    def deleted(self, name: str) -> str:
        """What stands where a message was."""
        return _tr("{name} deleted this message").format(name=isolate(name))

    def text_missing(self) -> str:
        """What stands where a text has not arrived."""
        return _tr("The text of this message has not arrived yet.")

    def delivery(self, message: Message, *, newest: bool = False) -> str:
        """The mark while one's own message is not everywhere; "" when all is normal.

        What nobody else holds yet always wears it. Once another computer has it, it is safe, and
        only the person's newest message says how far it came: a colleague on holiday shall not
        mark every line for weeks.
        """
        if not message.mine or message.deleted or message.stored_on >= message.stored_of:
            return ""
        if message.stored_on <= 1 and message.sealed is not None:
            return self.waits(message.sealed, message.sent_at_ms)
        if message.stored_on <= 1:
            return _tr("only on this computer until another one is reachable")
        return self.delivery_hover(message) if newest else ""

    def waits(self, sealed: Sealed, now_ms: int) -> str:
        """That a server keeps a message for who is away, and until when."""
        return _tr("kept sealed at {server} until {time}").format(
            server=server_name(sealed.server), time=self.moment(sealed.until_ms, now_ms)
        )

    def delivery_hover(self, message: Message) -> str:
        """Where a message is stored, in words, also in the normal state."""
        if message.stored_of <= 0:
            return ""
        if message.stored_on >= message.stored_of:
            return _tr("on all {of} computers").format(of=message.stored_of)
        return _tr("on {on} of {of} computers").format(on=message.stored_on, of=message.stored_of)

    def moment_and_place(self, message: Message) -> str:
        """When it was sent and where it is stored: the tool tip of every message."""
        stored = self.delivery_hover(message)
        return self.full(message.sent_at_ms) + (f"\n{stored}" if stored else "")

    def replies(self, count: int) -> str:
        """ "4 replies"."""
        return _tr("1 reply") if count == 1 else _tr("%n replies", count)

    def last_reply(self, message: Message, now_ms: int) -> str:
        """ "last from Mara, 20 minutes ago"."""
        when = self.ago(message.last_reply_ms, now_ms)
        if not message.repliers:
            return _tr("last {when}").format(when=when)
        words = calm(message.repliers[0].name).split()
        first = isolate(words[0] if words else message.repliers[0].name)
        return _tr("last from {name}, {when}").format(name=first, when=when)

    def new_line(self) -> str:
        """The line before the first unread message."""
        return _tr("New")

    def show_all(self) -> str:
        """The act below a shortened text."""
        return _tr("Show all")

    def copy_code(self) -> str:
        """The button of a code block."""
        return _tr("Copy the code")

    def in_reply_to(self, original: Message | None) -> str:
        """The line above a reply."""
        if original is None:
            return _tr("In reply to an earlier message")
        if original.deleted:
            return _tr("In reply to a deleted message")
        first = calm(self.words(original)).strip().split("\n", 1)[0][:160]
        return f"{isolate(original.author_name)}  {isolate(first)}"

    def in_thread(self) -> str:
        """The line above a thread reply that was also sent to the channel."""
        return _tr("Replied in a thread")

    def newer(self, count: int) -> str:
        """The pill that leads to the end."""
        if count <= 0:
            return _tr("Jump to latest")
        return _tr("1 new message") if count == 1 else _tr("%n new messages", count)

    def reaction(self, emoji: str, names: tuple[str, ...], count: int) -> str:
        """Who reacted, for tool tip and screen reader."""
        shown = [isolate(name) for name in names[:10]]
        more = count - len(shown)
        if more > 0:
            shown.append(_tr("%n more", more))
        return f"{emoji}  {', '.join(shown)}"

    def call(self, call: CallRecord, live: LiveCall | None = None) -> CallWords:
        """What the card of a call says."""
        return say_call(call, live, self.time(call.started_at_ms))

    def words(self, message: Message, live: LiveCall | None = None) -> str:
        """What a message says in plain words, also one that is the card of a call."""
        if message.call is None:
            return message.text
        said = self.call(message.call, live)
        card = f"{said.title}: {said.line}" if said.line else said.title
        recorded = [line.words for line in recorded_lines(message.call, live)]
        return ". ".join([card, *recorded])

    def spoken(self, message: Message, live: LiveCall | None = None) -> str:
        """A message as a screen reader reads it."""
        parts = [isolate(message.author_name), self.full(message.sent_at_ms)]
        if message.deleted:
            parts = [self.deleted(message.author_name)]
        else:
            parts.append(calm(self.words(message, live))[:4_000])
        if message.edited:
            parts.append(self.edited())
        if message.late:
            parts.append(self.late(message))
        if mark := self.delivery(message):
            parts.append(mark)
        parts += [self.reaction(r.emoji, r.names, r.count) for r in message.reactions]
        if message.reply_count:
            parts.append(self.replies(message.reply_count))
        return ", ".join(parts)

    def copied(self, message: Message, text: str) -> str:
        """One message of several that are copied: author and time, then the words."""
        name = calm(message.author_name).replace("\n", " ")
        return f"{name}, {self.full(message.sent_at_ms)}\n{text}"
