"""Where everything of one row lies: a pure function of the message, its neighbour and the width.

Heights depend on the message and on the one *before* it only, so an arrival never changes a row
above. Boxes are in pixels, relative to the row's top left corner. Paints nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message
from folkmoot.ui.theme.fonts import LINE_HEIGHT, TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.callcard import CARD_HEIGHT, CallCard, lay_card
from folkmoot.ui.timeline.callwords import LiveCall
from folkmoot.ui.timeline.documents import Body, DocumentCache
from folkmoot.ui.timeline.recorded import LINE, play_tip, play_words, recorded_lines
from folkmoot.ui.timeline.wording import Wording

CONTENT_WIDTH = 920
AVATAR = 36
_GAP = 12
_LINE_ROW = 34
_TOP, _TOP_GROUPED, _BOTTOM = 8, 4, 4
_GROUP_MS = 5 * 60_000
_REACTION = 24
_MAX_REACTIONS = 24


class Mode(enum.Enum):
    """Where the timeline stands."""

    CHANNEL = "channel"
    THREAD = "thread"


class HitKind(enum.Enum):
    """What a place in a row does."""

    REACTION = "reaction"
    ADD_REACTION = "add reaction"
    THREAD = "thread"
    REPLIED_TO = "replied to"
    SHOW_ALL = "show all"
    COPY_CODE = "copy code"
    CALL = "call"
    RECORDING = "recording"
    TIP = "tip"


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that answers; `value` is the emoji or the code, `tip` the words on hover."""

    box: QRectF
    kind: HitKind
    value: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text in a style and a token, drawn from the left and elided to its box."""

    box: QRectF
    text: str
    style: TextStyle
    token: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across with words in it, or after them (`words_first`)."""

    y: float
    text: str
    token: str
    line_token: str
    words_first: bool = False


@dataclass(frozen=True, slots=True)
class Plate:
    """A rounded ground with centred words: marks and reactions."""

    box: QRectF
    text: str
    ground: str
    edge: str
    token: str
    radius: float


@dataclass(frozen=True, slots=True)
class Face:
    """A small or large avatar."""

    box: QRectF
    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Glyph:
    """An icon at a whole pixel."""

    x: int
    y: int
    size: int
    icon: str
    token: str
    only_hovered: bool = False


Part = Words | Rule | Plate | Face | Glyph | CallCard


@dataclass(slots=True)
class Row:
    """One message's row. The band (hover ground) is from `band_top` to `height`."""

    message: Message
    width: int
    band_top: float = 0
    height: float = 0
    body: Body | None = None
    body_at: QPointF = field(default_factory=QPointF)
    pin: float = 0
    """Where the text begins: what stays still on the screen when the rest of the row changes."""
    header: bool = True
    parts: list[Part] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context:
    """What rows are laid out with."""

    theme: Theme
    documents: DocumentCache
    wording: Wording
    mode: Mode
    now_ms: Callable[[], int]
    find: Callable[[EntryId], Message | None]
    live: Callable[[bytes], LiveCall | None] = lambda _call: None


class RowBuilder:
    """Builds rows for one width."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._metrics: dict[TextStyle, QFontMetricsF] = {}

    def build(
        self,
        message: Message,
        before: Message | None,
        width: int,
        *,
        unread_begins: bool = False,
        newest_own: bool = False,
        expanded: bool = False,
        root: bool = False,
    ) -> Row:
        """Lay out one row in a viewport of `width` pixels; `root` begins a thread pane."""
        mark = self._c.wording.delivery(message, newest=newest_own)
        row = Row(message, width)
        pad = 16 if self._c.mode is Mode.THREAD else 20
        y = self._rules(row, before, unread_begins=unread_begins)
        row.band_top = y
        row.header = unread_begins or root or not self._continues(message, before)
        x = pad + AVATAR + _GAP
        right = min(width, CONTENT_WIDTH + 2 * pad) - pad
        y += _TOP if row.header else _TOP_GROUPED
        if row.header:
            row.parts.append(
                Face(QRectF(pad, y, AVATAR, AVATAR), message.author_name, message.author)
            )
            self._header(row, x, y, right, mark)
            y += LINE_HEIGHT
        else:
            self._gutter(row, pad, y, mark)
        row.pin = y
        y = self._text(row, x, y, max(right - x, 60), expanded=expanded)
        if message.reactions and not message.deleted:
            y = self._reactions(row, x, y, right)
        if message.reply_count and self._c.mode is Mode.CHANNEL:
            y = self._thread(row, x, y, right)
        if row.header:
            y = max(y, row.band_top + _TOP + AVATAR)
        row.height = round(y + _BOTTOM)
        if root and message.reply_count:
            words = self._c.wording.replies(message.reply_count)
            row.parts.append(Rule(row.height, words, "mute", "line", words_first=True))
            row.height += _LINE_ROW
        return row

    def _rules(self, row: Row, before: Message | None, *, unread_begins: bool) -> float:
        y = 0.0
        wording = self._c.wording
        at = row.message.order.wall_ms
        if self._c.mode is Mode.CHANNEL and (
            before is None or wording.day_number(before.order.wall_ms) != wording.day_number(at)
        ):
            row.parts.append(Rule(y, wording.day(at, self._c.now_ms()), "mute", "line"))
            y += _LINE_ROW
        if unread_begins:
            row.parts.append(Rule(y, wording.new_line(), "bad_text", "bad_text"))
            y += _LINE_ROW
        return y

    def _continues(self, message: Message, before: Message | None) -> bool:
        """Whether a row goes on under the author line above it."""
        if before is None or before.author != message.author or before.deleted:
            return False
        if message.late or message.clock_wrong or message.deleted:
            return False
        if self._c.mode is Mode.THREAD and message.thread == before.id:
            return False  # the line that counts the replies stands in between
        gap = message.order.wall_ms - before.order.wall_ms
        day = self._c.wording.day_number
        return gap < _GROUP_MS and day(message.order.wall_ms) == day(before.order.wall_ms)

    def _header(self, row: Row, x: float, y: float, right: float, mark: str) -> None:
        message, wording = row.message, self._c.wording
        at = message.sent_at_ms if not message.clock_wrong else message.arrived_at_ms
        clock = wording.time(at)
        if self._c.mode is Mode.THREAD:
            clock = wording.moment(at, self._c.now_ms())
        clock_width = self._wide(TextStyle.META, clock)
        name = message.author_name.replace("\n", " ")
        name_width = min(
            self._wide(TextStyle.STRONG, name), max(40.0, right - x - clock_width - 10)
        )
        row.parts.append(Words(QRectF(x, y, name_width, 20), name, TextStyle.STRONG, "ink"))
        x += name_width + 10
        box = QRectF(x, y, clock_width, 20)
        row.parts.append(Words(box, clock, TextStyle.META, "faint"))
        tip = wording.moment_and_place(message)
        row.hits.append(Hit(box, HitKind.TIP, tip=tip))
        x += clock_width + 8
        if message.late or message.clock_wrong:
            text = wording.late(message) if message.late else wording.clock_wrong()
            plate = QRectF(round(x), y + 2, round(self._wide(TextStyle.META, text)) + 12, 16)
            if plate.right() > right:
                plate.setRight(right)
            row.parts.append(Plate(plate, text, "mention", "", "mention_ink", 6))
            row.hits.append(Hit(plate, HitKind.TIP, tip=tip))
            x = plate.right() + 8
        if mark and x + 32 < right:
            row.parts.append(Glyph(round(x), round(y) + 4, 12, "clock", "faint"))
            text_box = QRectF(x + 16, y, min(self._wide(TextStyle.META, mark), right - x - 16), 20)
            row.parts.append(Words(text_box, mark, TextStyle.META, "faint"))
            row.hits.append(Hit(QRectF(x, y, text_box.right() - x, 20), HitKind.TIP, tip=tip))

    def _gutter(self, row: Row, pad: float, y: float, mark: str) -> None:
        """Marks of a row without author line stand below the avatar and cost no height."""
        box = QRectF(pad, y, AVATAR, LINE_HEIGHT)
        if mark:
            row.parts.append(Glyph(round(pad) + 12, round(y) + 4, 12, "clock", "faint"))
        tip = self._c.wording.moment_and_place(row.message)
        row.hits.append(Hit(box, HitKind.TIP, tip=tip))

    def _text(self, row: Row, x: float, y: float, width: float, *, expanded: bool) -> float:
        message, wording = row.message, self._c.wording
        if message.deleted or message.body_missing:
            gone = wording.deleted(message.author_name)
            text = gone if message.deleted else wording.text_missing()
            row.parts.append(Words(QRectF(x, y, width, 20), text, TextStyle.BODY, "mute"))
            return y + LINE_HEIGHT
        if message.call is not None:
            return self._call(row, x, y, width)
        if self._c.mode is Mode.CHANNEL and (message.reply_to or message.thread):
            y = self._context_line(row, x, y, width)
        body = self._c.documents.body(message.id, message.text, round(width), expanded=expanded)
        row.body, row.body_at = (
            body,
            QPointF(x, y + body.lead - 1),
        )  # Qt sets fixed lines one pixel low
        for code in body.code_blocks:
            box = code.box.translated(row.body_at)
            icon = QRectF(box.right() - 30, box.top() + 4, 28, 28)
            row.hits.append(Hit(icon, HitKind.COPY_CODE, code.text, wording.copy_code()))
            place = (round(icon.left()) + 6, round(icon.top()) + 6)
            row.parts.append(Glyph(*place, 16, "copy", "mute", only_hovered=True))
        bottom = y + body.lead + body.height
        if message.edited:
            bottom = self._edited(row, x, bottom, width)
        if body.shortened:
            words = wording.show_all()
            box = QRectF(x, bottom, self._wide(TextStyle.STRONG, words) + 1, 28)
            row.parts.append(Words(box, words, TextStyle.STRONG, "accent"))
            row.hits.append(Hit(box, HitKind.SHOW_ALL))
            bottom += 28
        return bottom

    def _call(self, row: Row, x: float, y: float, width: float) -> float:
        call = row.message.call
        assert call is not None
        words = self._c.wording.call(call, self._c.live(call.id))
        card = lay_card(words, QPointF(round(x), round(y) + 4), width, self._wide)
        row.parts.append(card)
        if words.act:
            row.hits.append(Hit(card.button, HitKind.CALL, words.act, words.tip))
        row.hits.append(Hit(card.box, HitKind.TIP, tip=words.line))
        return self._recorded(row, x, card.box.top() + CARD_HEIGHT + 2, width)

    def _recorded(self, row: Row, x: float, y: float, width: float) -> float:
        call = row.message.call
        assert call is not None
        play, left = play_words(), round(x)
        for words, began_at_ms, runs in recorded_lines(call, self._c.live(call.id)):
            token = "bad_text" if runs else "mute"
            act = self._wide(TextStyle.META_STRONG, play) if began_at_ms is not None else 0.0
            wide = min(self._wide(TextStyle.META, words), width - 20 - (act + 12 if act else 0))
            row.parts.append(Glyph(left, round(y) + 5, 14, "circle-dot", token))
            line = QRectF(left + 20, y + 2, wide, 20)
            row.parts.append(Words(line, words, TextStyle.META, "mute"))
            if act:
                box = QRectF(line.right() + 10, y + 2, act + 1, 20)
                row.parts.append(Words(box, play, TextStyle.META_STRONG, "accent"))
                grown = box.adjusted(-6, -4, 6, 4)
                row.hits.append(Hit(grown, HitKind.RECORDING, str(began_at_ms), play_tip()))
            y += LINE
        return y

    def _edited(self, row: Row, x: float, bottom: float, width: float) -> float:
        """The mark follows the last word, or takes a line of its own."""
        body = row.body
        words = self._c.wording.edited()
        wide = self._wide(TextStyle.META, words)
        left, top = 0.0, bottom
        if (
            body is not None
            and body.last_line_is_text
            and (body.last_line_right + 6 + wide <= width)
        ):
            left, top = body.last_line_right + 6, bottom - LINE_HEIGHT
        box = QRectF(x + left, top, wide + 1, LINE_HEIGHT)
        row.parts.append(Words(box, words, TextStyle.META, "faint"))
        return max(bottom, top + LINE_HEIGHT)

    def _context_line(self, row: Row, x: float, y: float, width: float) -> float:
        message, wording = row.message, self._c.wording
        original = self._c.find(message.reply_to) if message.reply_to else None
        words = wording.in_reply_to(original) if message.reply_to else wording.in_thread()
        box = QRectF(x, y, width, LINE_HEIGHT)
        row.parts.append(Glyph(round(x), round(y) + 3, 14, "reply", "faint"))
        row.parts.append(
            Words(QRectF(x + 20, y, width - 20, LINE_HEIGHT), words, TextStyle.META, "mute")
        )
        kind = HitKind.REPLIED_TO if message.reply_to else HitKind.THREAD
        row.hits.append(Hit(box, kind, tip=words))
        return y + LINE_HEIGHT

    def _reactions(self, row: Row, x: float, y: float, right: float) -> float:
        left = x
        y = round(y + 5)
        for reaction in row.message.reactions[:_MAX_REACTIONS]:
            text = f"{reaction.emoji} {reaction.count}"
            width = max(36, round(self._wide(TextStyle.META, text)) + 18)
            if left + width > right and left > x:
                left, y = x, y + _REACTION + 4
            box = QRectF(round(left) + 0.5, y + 0.5, width - 1, _REACTION - 1)
            if reaction.mine:
                row.parts.append(Plate(box, text, "accent_soft", "accent", "ink", 11.5))
            else:
                row.parts.append(Plate(box, text, "", "line", "mute", 11.5))
            tip = self._c.wording.reaction(reaction.emoji, reaction.names, reaction.count)
            grown = box.adjusted(-1, -2, 1, 2)
            row.hits.append(Hit(grown, HitKind.REACTION, reaction.emoji, tip))
            left += width + 4
        if left + 32 <= right:
            box = QRectF(round(left), y - 2, 32, 28)
            row.parts.append(
                Glyph(round(left) + 8, y + 4, 16, "smile-plus", "mute", only_hovered=True)
            )
            row.hits.append(Hit(box, HitKind.ADD_REACTION))
        return y + _REACTION + 1

    def _thread(self, row: Row, x: float, y: float, right: float) -> float:
        message, wording = row.message, self._c.wording
        y = round(y + 5)
        left = x
        for person in message.repliers[:3]:
            row.parts.append(Face(QRectF(round(left), y + 1, 18, 18), person.name, person.person))
            left += 20
        left += 6 if message.repliers else 0
        words = wording.replies(message.reply_count)
        wide = self._wide(TextStyle.LABEL_STRONG, words)
        row.parts.append(
            Words(QRectF(left, y, wide + 1, 20), words, TextStyle.LABEL_STRONG, "accent")
        )
        left += wide + 8
        last = wording.last_reply(message, self._c.now_ms())
        last_wide = min(self._wide(TextStyle.META, last), max(0.0, right - left))
        row.parts.append(Words(QRectF(left, y, last_wide, 20), last, TextStyle.META, "faint"))
        row.hits.append(Hit(QRectF(x, y - 4, left + last_wide - x, 28), HitKind.THREAD))
        return y + 20

    def _wide(self, style: TextStyle, text: str) -> float:
        metrics = self._metrics.get(style)
        if metrics is None:
            metrics = self._metrics[style] = QFontMetricsF(self._c.theme.font(style))
        return metrics.horizontalAdvance(text)
