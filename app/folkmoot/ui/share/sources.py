"""The screens and windows to choose from: cards with live thumbnails in sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QPushButton, QWidget

from folkmoot.services.call_values import ShareSource
from folkmoot.services.media_port import SELF, SOURCE
from folkmoot.ui.call.pictures import ALL, Part, Pictures, Want
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import SectionHeader, plain_tip

REGION = "region"
"""The kind of the card that leads to a part of the screen."""
GAP = 12
_LEAST = 190
_WORDS = 44
_HEADING = 30
_EDGE = 4
"""For the focus ring."""
_RATIO = 16 / 10
_SIGNS = {"screen": "monitor", "window": "app-window", REGION: "square-dashed"}


class SourceCard(KeyboardFocus, QPushButton):
    """One thing that can be shared."""

    focus_radius = 10
    taken = Signal()
    """A double click, or Return: share it at once."""
    walked = Signal(int)
    """An arrow key."""

    def __init__(
        self, source: ShareSource, theme: Theme, pictures: Pictures, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.source = source
        self._pictures = pictures
        self._picture: QImage | None = None
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.show_source(source)
        pictures.add(self)

    def show_source(self, source: ShareSource) -> None:
        """Its newest name."""
        self.source = source
        kinds = {"screen": self.tr("screen"), "window": self.tr("window")}
        parts = [source.name, source.application, kinds.get(source.kind, "")]
        self.setAccessibleName(", ".join(part for part in parts if part))
        self.update()

    def leave(self) -> None:
        """It cannot be shared any more."""
        self._pictures.remove(self)
        self.hide()
        self.deleteLater()

    @property
    def has_picture(self) -> bool:
        """Whether a thumbnail came."""
        return self._picture is not None

    # --- pictures

    def picture_box(self) -> QRectF:
        """Where the thumbnail stands."""
        return QRectF(8, 8, self.width() - 16, self.height() - 8 - _WORDS)

    def wanted(self) -> Want | None:
        """Only while the card is in sight."""
        if not self.source.id or self.visibleRegion().isEmpty():
            return None
        size = (self.picture_box().size() * self.devicePixelRatioF()).toSize()
        known = QSize(self.source.width, self.source.height)
        if not known.isEmpty():
            size = known.scaled(size, Qt.AspectRatioMode.KeepAspectRatio)
        return Want(SELF, size, kind=SOURCE, fit=True, source_id=self.source.id)

    def show_picture(self, picture: QImage, part: Part = ALL) -> None:
        """A newer thumbnail."""
        self._picture = picture
        self.update()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, thumbnail, sign, name, program."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box, hot = QRectF(self.rect()).adjusted(1, 1, -1, -1), self.underMouse()
        chosen = self.isChecked()
        painter.setPen(QPen(self.theme.colour("accent" if chosen else "line"), 2 if chosen else 1))
        painter.setBrush(
            self.theme.colour("accent_soft" if chosen else "hover" if hot else "panel")
        )
        painter.drawRoundedRect(box, 10, 10)
        self._paint_picture(painter)
        self._paint_words(painter)

    def _paint_picture(self, painter: QPainter) -> None:
        box = self.picture_box()
        path = QPainterPath()
        path.addRoundedRect(box, 6, 6)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(box, self.theme.colour("stage"))
        if self._picture is not None:
            room = box.size().toSize()
            size = self._picture.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(QPointF(0, 0), size)
            place.moveCenter(box.center())
            painter.drawImage(place, self._picture)
        else:
            sign = _SIGNS.get(self.source.kind, "monitor")
            icon = self.theme.pixmap(sign, "mute", 28, self.devicePixelRatioF())
            painter.drawPixmap(box.center() - QPointF(14, 14), icon)
        painter.restore()

    def _paint_words(self, painter: QPainter) -> None:
        source, left = self.source, 32.0
        top = self.height() - _WORDS + 5
        icon = self.theme.pixmap(
            _SIGNS.get(source.kind, "monitor"), "mute", 16, self.devicePixelRatioF()
        )
        below = source.application
        if source.kind == "screen" and source.width:
            below = f"{source.width}×{source.height}"
        middle = top + 17
        painter.drawPixmap(QPointF(10, middle - 8), icon)
        room = self.width() - left - 10
        lines = [(TextStyle.LABEL_STRONG, "ink", source.name)]
        lines += [(TextStyle.META, "mute", below)] if below else []
        y = top + (1 if below else 9)
        for style, token, words in lines:
            font = self.theme.font(style)
            shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, room)
            if style is TextStyle.LABEL_STRONG:
                self.setToolTip(plain_tip(words) if shown != words else "")
            painter.setFont(font)
            painter.setPen(self.theme.colour(token))
            painter.drawText(QRectF(left, y, room, 17), Qt.AlignmentFlag.AlignVCenter, shown)
            y += 16

    # --- input

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk, Return takes, Space chooses."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.setChecked(True)
            self.taken.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.walked.emit(event.key())
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Share it at once."""
        self.setChecked(True)
        self.taken.emit()


class SourceList(QWidget):
    """All cards: screens and a part of one, then windows."""

    chosen = Signal()
    taken = Signal()
    walked_to = Signal(QWidget)

    def __init__(self, theme: Theme, pictures: Pictures) -> None:
        super().__init__()
        self._theme = theme
        self._pictures = pictures
        self._cards: dict[tuple[str, str], SourceCard] = {}
        self._headings: dict[str, SectionHeader] = {}
        self.setAccessibleName(self.tr("What can be shared"))
        self._titles = {
            "screen": self.tr("Screens"),
            "window": self.tr("Windows"),
        }

    @property
    def cards(self) -> list[SourceCard]:
        """As they stand."""
        return list(self._cards.values())

    @property
    def choice(self) -> ShareSource | None:
        """What is chosen."""
        return next((card.source for card in self.cards if card.isChecked()), None)

    def show_rows(self, rows: Sequence[ShareSource], *, regions: bool) -> None:
        """What there is now; what was there keeps its card, its place and the choice: nobody shall
        press what has just moved under the mouse."""
        wanted = [self._named(row) for row in rows if row.kind == "screen"]
        if regions:
            wanted.append(ShareSource("", REGION, self.tr("Part of a screen…")))
        places = {key: at for at, key in enumerate(self._cards)}
        windows = [row for row in rows if row.kind != "screen"]
        wanted += sorted(windows, key=lambda row: places.get((row.kind, row.id), len(places)))
        keys = {(row.kind, row.id) for row in wanted}
        for gone in [key for key in self._cards if key not in keys]:
            self._cards.pop(gone).leave()
        ordered: dict[tuple[str, str], SourceCard] = {}
        for row in wanted:
            key = (row.kind, row.id)
            card = self._cards.get(key) or self._make(row)
            card.show_source(row)
            ordered[key] = card
        self._cards = ordered
        for before, after in zip(self.cards, self.cards[1:], strict=False):
            QWidget.setTabOrder(before, after)
        self.place()
        self.chosen.emit()

    def _named(self, row: ShareSource) -> ShareSource:
        """A display that has no name of its own gets one."""
        if row.name.casefold() not in ("", "screen"):
            return row
        return replace(row, name=self.tr("Whole screen"))

    def leave(self) -> None:
        """The dialog goes: no thumbnails are wanted any more."""
        for card in self.cards:
            card.leave()
        self._cards.clear()

    def _make(self, row: ShareSource) -> SourceCard:
        card = SourceCard(row, self._theme, self._pictures, self)
        card.toggled.connect(lambda _: self.chosen.emit())
        card.taken.connect(self.taken)
        card.walked.connect(lambda key: self._walk(card, key))
        card.show()
        return card

    def place(self) -> None:
        """Sections from top to bottom, as many cards in a row as there is room for."""
        room = self.width() - 2 * _EDGE
        columns = max(1, (room + GAP) // (_LEAST + GAP))
        width = (room - (columns - 1) * GAP) // columns
        height = round((width - 16) / _RATIO) + 8 + _WORDS
        y = 0
        for kind in ("screen", "window"):
            cards = [
                card for card in self.cards if (card.source.kind == "window") == (kind == "window")
            ]
            heading = self._heading(kind, shown=bool(cards))
            if not cards:
                continue
            heading.setGeometry(2, y, self.width() - 4, _HEADING - 6)
            y += _HEADING
            for at, card in enumerate(cards):
                row, column = divmod(at, columns)
                card.setGeometry(
                    _EDGE + column * (width + GAP), y + row * (height + GAP), width, height
                )
            y += -(-len(cards) // columns) * (height + GAP)
        self.setFixedHeight(max(1, y))
        self._pictures.changed()

    def _heading(self, kind: str, *, shown: bool) -> SectionHeader:
        heading = self._headings.get(kind)
        if heading is None:
            heading = SectionHeader(self._titles[kind], self._theme, parent=self)
            self._headings[kind] = heading
        heading.setVisible(shown)
        return heading

    def _walk(self, card: SourceCard, key: int) -> None:
        boxes = [other.geometry() for other in self.cards]
        at = nearest(boxes, self.cards.index(card), Qt.Key(key))
        target = self.cards[at]
        target.setChecked(True)
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self.walked_to.emit(target)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has other columns."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.place()

    def event(self, event: QEvent) -> bool:
        """Scrolled: other cards are in sight."""
        if event.type() == QEvent.Type.Move:
            self._pictures.changed()
        return super().event(event)


def nearest(boxes: Sequence[QRect], at: int, key: Qt.Key) -> int:
    """Which of `boxes` an arrow key leads to from number `at`; the same where there is none."""
    if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        return min(len(boxes) - 1, max(0, at + (1 if key == Qt.Key.Key_Right else -1)))
    here, down = boxes[at].center(), key == Qt.Key.Key_Down
    there = [
        n for n, box in enumerate(boxes) if (box.center().y() - here.y()) * (1 if down else -1) > 8
    ]
    if not there:
        return at
    return min(
        there,
        key=lambda n: (
            abs(boxes[n].center().y() - here.y()) * 4 + abs(boxes[n].center().x() - here.x())
        ),
    )
