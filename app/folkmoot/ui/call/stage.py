"""The tiles of a call, placed by the chosen layout, and what floats over them."""

from __future__ import annotations

from PySide6.QtCore import (
    QEasingCurve,
    QPropertyAnimation,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from folkmoot.domain.ids import PersonId
from folkmoot.services.call_values import Call
from folkmoot.ui.call.layout import Arrangement, LayoutKind, arrange
from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.state import Key, TileState, is_screen_key, tile_states
from folkmoot.ui.call.tile import Tile
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.share.screen_tile import ScreenTile
from folkmoot.ui.theme.fonts import TextStyle, make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.text import Text

REACTION_MS = 3000
_FLOAT_MS = 120


class Stage(QWidget):
    """Shows everybody in a call."""

    pin_pressed = Signal(object)
    """The `Key` of a tile."""
    menu_wanted = Signal(object, object)
    """The `Key` of a tile, where (global)."""
    placed = Signal()
    """Layout, size, or who is large changed."""
    full_pressed = Signal(object)
    pop_out_pressed = Signal(object)
    """The `Key` of a shared screen."""
    switch_pressed = Signal(object)
    """Another screen is wanted; the widget that was pressed."""

    def __init__(
        self, theme: Theme, pictures: Pictures, boards: Boards, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._boards = boards
        self.follows_share = True
        """A screen that is shared takes the stage, until another layout is chosen."""
        self._theme = theme
        self._pictures = pictures
        self._tiles: dict[Key, Tile] = {}
        self._states: tuple[TileState, ...] = ()
        self._arranged = Arrangement((), QRectF().toRect())
        self.kind = LayoutKind.SPEAKER
        self.pinned: Key | None = None
        self.speaker: bytes | None = None
        self.setAccessibleName(self.tr("Participants"))

    @property
    def tiles(self) -> dict[Key, Tile]:
        """All tiles by key."""
        return dict(self._tiles)

    def show_call(self, call: Call) -> None:
        """Show who is there now."""
        self._states = tile_states(call)
        wanted = {state.key for state in self._states}
        if any(s.is_screen and s.key not in self._tiles and not s.is_me for s in self._states):
            self.follows_share = True
        for gone in [key for key in self._tiles if key not in wanted]:
            self._tiles.pop(gone).leave()
        for state in self._states:
            tile = self._tiles.get(state.key)
            if tile is None:
                self._tiles[state.key] = self._make(state)
            elif tile.state != state:
                tile.show_state(state)
        if self.pinned not in wanted:
            self.pinned = None
        count = len(self.screens)
        for tile in self._screen_tiles():
            tile.tools.show_several(count)
        self.place()

    @property
    def screens(self) -> tuple[TileState, ...]:
        """What is shared, that of others first."""
        return tuple(state for state in self._states if state.is_screen)

    @property
    def layout_now(self) -> LayoutKind:
        """The layout that is shown."""
        if self.pinned is not None:
            return LayoutKind.SHARE if is_screen_key(self.pinned) else LayoutKind.SPEAKER
        if self.follows_share and any(not state.is_me for state in self.screens):
            return LayoutKind.SHARE
        return self.kind

    def show_rate(self, device: bytes, fps: float) -> None:
        """How many pictures of somebody's screen came in the last second."""
        for tile in self._screen_tiles():
            if tile.state.key[1] == device:
                tile.show_rate(fps)

    def _screen_tiles(self) -> list[ScreenTile]:
        return [tile for tile in self._tiles.values() if isinstance(tile, ScreenTile)]

    def show_speaking(self, speaking: set[bytes]) -> None:
        """Rings around those who speak (devices)."""
        for key, tile in self._tiles.items():
            speaks = bool(key[1]) and key[1] in speaking
            tile.show_speaking(speaks and not is_screen_key(key))

    def show_reaction(self, person: PersonId, emoji: str) -> None:
        """An emoji at the tile for a moment: floating, or beside the name without motion."""
        own = ((key, t) for key, t in self._tiles.items() if not is_screen_key(key))
        tile = next((t for key, t in own if key[0] == person), None)
        if tile is None or tile.isHidden():
            return
        if self._theme.reduce_motion:
            tile.show_reaction(emoji)
            QTimer.singleShot(REACTION_MS, tile, lambda: tile.show_reaction(""))
        else:
            _Floating(emoji, tile)

    def front(self) -> Key | None:
        """Which tile is the large one: kept large, a screen, or who speaks."""
        if self.pinned is not None:
            return self.pinned
        if self.layout_now is LayoutKind.SHARE:
            return next(state.key for state in self.screens if not state.is_me)
        people = (key for key in self._tiles if not is_screen_key(key))
        return next((key for key in people if key[1] and key[1] == self.speaker), None)

    def place(self) -> None:
        """Place all tiles anew; those that did not move are left alone."""
        made = arrange(self.size(), self._states, self.layout_now, self.front())
        self._arranged = made
        placed = {place.key: place for place in made.places}
        for key, tile in self._tiles.items():
            place = placed.get(key)
            tile.setVisible(place is not None)
            if place is None:
                continue
            tile.set_on_top(place.on_top)
            if isinstance(tile, ScreenTile):
                tile.set_large(place.large)
            tile.setGeometry(place.box)
            if place.on_top:
                tile.raise_()
        self._order(made)
        self.update()
        self.placed.emit()

    def _order(self, made: Arrangement) -> None:
        """The keyboard walks the tiles as they stand."""
        before: Tile | None = None
        for place in made.places:
            tile = self._tiles[place.key]
            if before is not None:
                QWidget.setTabOrder(before, tile)
            before = tile

    def _make(self, state: TileState) -> Tile:
        if state.is_screen:
            tile = self._make_screen(state)
        else:
            tile = Tile(state, self._theme, self._pictures, self)
        tile.pin_pressed.connect(lambda: self.pin_pressed.emit(tile.state.key))
        tile.menu_wanted.connect(lambda where: self.menu_wanted.emit(tile.state.key, where))
        return tile

    def _make_screen(self, state: TileState) -> Tile:
        tile = ScreenTile(state, self._theme, self._pictures, self._boards, self)
        tile.full_pressed.connect(lambda: self.full_pressed.emit(state.key))
        tile.pop_out_pressed.connect(lambda: self.pop_out_pressed.emit(state.key))
        tile.switch_pressed.connect(lambda: self.switch_pressed.emit(tile.tools.switch))
        return tile

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place everything anew."""
        super().resizeEvent(event)
        self.place()

    def minimumSizeHint(self) -> QSize:
        """A tile or two."""
        return QSize(240, 160)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, and how many tiles found no place."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("side"))
        if self._arranged.hidden:
            words = self.tr("+{n} more").format(n=self._arranged.hidden)
            painter.setFont(self._theme.font(TextStyle.META))
            painter.setPen(self._theme.colour("mute"))
            box = QRectF(0, self.height() - 18, self.width() - 4, 18)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words
            )


class _Floating(Text):
    """An emoji that rises a little over a tile and goes."""

    def __init__(self, emoji: str, tile: Tile) -> None:
        super().__init__(emoji, tile.theme, parent=tile)
        self.setFont(make_font(32 if tile.height() > 200 else 22))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.adjustSize()
        left = (tile.width() - self.width()) // 2
        self.move(left, round(tile.height() * 0.7) - self.height())
        effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(effect)
        self.show()
        self._fade = QPropertyAnimation(effect, b"opacity", self)
        self._fade.setDuration(_FLOAT_MS)
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fade.start()
        QTimer.singleShot(REACTION_MS, self, self.deleteLater)
