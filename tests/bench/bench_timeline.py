"""The timeline over a million messages, beside the list that Qt offers for the job.

Two sources of one seeded text: ours is asked for pages of 64 through the model's signals and
answers at once; the baseline is a `QListView` with a delegate that draws the same text with the
same documents, written as Qt's documentation advises (per-pixel scrolling, word wrap, a model that
holds what is loaded). It cannot hold a million rows (it lays all of them out), so it gets 2,000.
Offscreen, wall time of a change with its paint where a person waits, CPU per scrolled frame.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QApplication,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from bench.measurement import Measurement
from folkmoot.services.values import Message, Page
from folkmoot.ui.theme.avatars import paint_avatar
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.timeline.documents import DocumentCache
from folkmoot.ui.timeline.highlight import Highlighter
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.view import TimelineView
from ui.samples import message, reaction

TOTAL = 1_000_000
BASELINE_ROWS = 2_000
PAGE = 64
ROUNDS = 5
_WORDS = [
    *("the", "mould", "is", "ready", "and", "we", "can", "start", "on", "Monday", "if", "resin"),
    *("has", "arrived", "at", "shed", "please", "check", "angle", "of", "every", "layer"),
    *("before", "it", "laid", "thanks", "for", "quick", "answer"),
]


def synthetic(number: int) -> Message:
    """Message `number` of the seeded history: lengths, markup and reactions as in real teams."""
    seeded = random.Random(number)
    text = " ".join(seeded.choices(_WORDS, k=min(120, 2 + int(seeded.expovariate(1 / 14)))))
    kind = seeded.random()
    if kind < 0.08:
        text += " **now** and `ply_07`"
    elif kind < 0.11:
        text += "\n```python\nx = 1\nprint(x)\n```"
    elif kind < 0.15:
        text += " https://example.org/a?b=c"
    elif kind < 0.25:
        text += " 👍"
    reactions = (reaction("👍", 2), reaction("🎉", 1, mine=True)) if kind > 0.9 else ()
    author = (number // seeded.choice((1, 1, 2, 4))) % 4
    return message(number, text, author=author, reactions=reactions)


class Source:
    """A history that makes a message when it is asked for."""

    def __init__(self, total: int) -> None:
        self.total = total

    def page(self, first: int, last: int) -> Page:
        """Messages from `first` up to `last`."""
        first, last = max(0, first), min(self.total, last)
        rows = tuple(synthetic(n) for n in range(first, last))
        return Page(rows, first, self.total, first > 0, last < self.total)


class Ours:
    """The shipped view on a lazy source."""

    def __init__(self, theme: Theme) -> None:
        self.source = Source(TOTAL)
        self.model = TimelineModel()
        self.view = TimelineView(self.model, theme)
        self.view.resize(900, 900)
        self.model.older_wanted.connect(self._older)
        self.model.newer_wanted.connect(self._newer)

    def _older(self) -> None:
        first = self.model.first_ordinal
        self.model.add_older(self.source.page(first - PAGE, first))

    def _newer(self) -> None:
        last = self.model.first_ordinal + len(self.model)
        self.model.add_newer(self.source.page(last, last + PAGE))

    def open_end(self) -> Callable[[], None]:
        """Open the conversation at its end, nothing laid out before."""
        self.view.documents.clear()
        page = self.source.page(TOTAL - PAGE, TOTAL)
        return lambda: self.model.show_page(page)

    def jump(self, ordinal: int) -> Callable[[], None]:
        """Show a message anywhere."""
        page = self.source.page(ordinal - PAGE // 2, ordinal + PAGE // 2)

        def change() -> None:
            self.view.show_message(message(ordinal).id)
            self.model.show_page(page)

        return change

    def scroll(self, pixels: int) -> None:
        """One step of the wheel."""
        self.view.scroll_by(-pixels)

    def append(self, number: int) -> Callable[[], None]:
        """A message arrives at the end."""
        arrived = synthetic(number)
        return lambda: self.model.insert(arrived)


class Rows(QAbstractListModel):
    """The baseline's model."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Message] = []

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """Rows that are loaded."""
        return len(self.rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        """The message itself for the delegate."""
        return self.rows[index.row()] if role == Qt.ItemDataRole.UserRole else None

    def load(self, rows: list[Message]) -> None:
        """Begin anew."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def add(self, row: Message) -> None:
        """One more."""
        self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows))
        self.rows.append(row)
        self.endInsertRows()


class Delegate(QStyledItemDelegate):
    """Draws text, author and avatar."""

    def __init__(self, view: QListView, theme: Theme) -> None:
        super().__init__(view)
        self._view = view
        self.documents = DocumentCache(theme, Highlighter(), 3 * BASELINE_ROWS)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Height of the laid out text."""
        row: Message = index.data(Qt.ItemDataRole.UserRole)
        width = self._view.viewport().width()
        return QSize(width, self.documents.body(row.id, row.text, width - 90).height + 32)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """One row."""
        row: Message = index.data(Qt.ItemDataRole.UserRole)
        box = option.rect
        body = self.documents.body(row.id, row.text, self._view.viewport().width() - 90)
        corner = QRectF(box.left() + 20, box.top() + 8, 36, 36)
        paint_avatar(painter, corner, row.author_name, row.author)
        painter.drawText(box.left() + 68, box.top() + 20, row.author_name)
        painter.save()
        painter.translate(box.left() + 68, box.top() + 28)
        body.document.drawContents(painter)
        painter.restore()


class Baseline:
    """QListView as documented."""

    def __init__(self, theme: Theme) -> None:
        self.view = QListView()
        self.model = Rows()
        self.delegate = Delegate(self.view, theme)
        self.view.setItemDelegate(self.delegate)
        self.view.setModel(self.model)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setResizeMode(QListView.ResizeMode.Adjust)
        self.view.resize(900, 900)

    def open_end(self) -> Callable[[], None]:
        """The last rows."""
        self.delegate.documents.clear()
        rows = [synthetic(n) for n in range(TOTAL - BASELINE_ROWS, TOTAL)]

        def change() -> None:
            self.model.load(rows)
            self.view.scrollToBottom()

        return change

    def jump(self, ordinal: int) -> Callable[[], None]:
        """The rows around a message."""
        half = BASELINE_ROWS // 2
        rows = [synthetic(n) for n in range(ordinal - half, ordinal + half)]

        def change() -> None:
            self.model.load(rows)
            self.view.scrollTo(self.model.index(half))

        return change

    def scroll(self, pixels: int) -> None:
        """One step."""
        bar = self.view.verticalScrollBar()
        bar.setValue(bar.value() - pixels)

    def append(self, number: int) -> Callable[[], None]:
        """One more row, followed."""
        arrived = synthetic(number)

        def change() -> None:
            self.model.add(arrived)
            self.view.scrollToBottom()

        return change


def _round(side: Ours | Baseline, appends: int, frames: int, jumps: int) -> dict[str, float]:
    """One round; all in milliseconds."""
    found: dict[str, float] = {}

    def painted(change: Callable[[], None]) -> float:
        begun = time.perf_counter()
        change()
        side.view.viewport().repaint()
        return (time.perf_counter() - begun) * 1e3

    found["open"] = painted(side.open_end())
    arrivals = [side.append(TOTAL + number) for number in range(appends)]
    found["append p99"] = _p99([painted(arrive) for arrive in arrivals])
    begun = time.process_time()
    for _ in range(frames):
        painted(lambda: side.scroll(60))
    found["scroll frame, CPU"] = (time.process_time() - begun) * 1e3 / frames
    seeded = random.Random(7)
    places = [seeded.randrange(5_000, TOTAL - 5_000) for _ in range(jumps)]
    found["jump"] = statistics.median([painted(side.jump(place)) for place in places])
    return found


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


TARGETS = {"open": 30.0, "append p99": 16.0, "scroll frame, CPU": 8.0, "jump": 30.0}


def measure() -> Iterable[Measurement]:
    """Both sides in turns, five rounds."""
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme = Theme(app, Mode.LIGHT)
    ours, baseline = Ours(theme), Baseline(theme)
    for side in (ours, baseline):
        side.view.show()
    app.processEvents()
    rounds = [(_round(ours, 300, 300, 20), _round(baseline, 5, 60, 3)) for _ in range(ROUNDS)]
    for name, target in TARGETS.items():
        yield Measurement(
            name=f"timeline {name}",
            samples=[own[name] for own, _ in rounds],
            unit="ms",
            at_most=target,
            baseline=[other[name] for _, other in rounds],
            note=f"1,000,000 messages; QListView with {BASELINE_ROWS:,}",
        )
