"""The theme object: which table of tokens holds, and everything that is drawn from it.

One `Theme` is made by the composition root after the application object and handed to every widget.
It sets palette and a small style sheet; widgets paint the rest themselves from its tokens. It holds
no settings: who keeps the chosen mode calls `set_mode`.
"""

from __future__ import annotations

import enum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from folkmoot.ui.theme import fonts, icons, stylesheet
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.tokens import DARK, LIGHT, Tokens


class Mode(enum.StrEnum):
    """What the person chose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """Tokens, fonts and icons of the running window; `changed` follows every switch."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: Mode = Mode.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._mode = mode
        self._colours: dict[str, QColor] = {}
        self._icons = icons.IconCache()
        self.fonts_missing = tuple(fonts.load_fonts())
        self._reduce_motion = False
        app.setStyle("Fusion")
        app.setFont(fonts.font(TextStyle.BODY))
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.tokens = self._choose()
        self._apply()

    @property
    def mode(self) -> Mode:
        """What the person chose, which may be to follow the system."""
        return self._mode

    @property
    def is_dark(self) -> bool:
        """Whether the dark table holds now."""
        return self.tokens is DARK

    @property
    def reduce_motion(self) -> bool:
        """Whether nothing moves by itself."""
        return self._reduce_motion

    def set_reduce_motion(self, on: bool) -> None:
        """Choose whether things move; holds for what begins to move from now on."""
        self._reduce_motion = on

    def set_mode(self, mode: Mode) -> None:
        """Choose light, dark or the system's; widgets repaint on `changed`."""
        self._mode = mode
        self._switch()

    def colour(self, token: str) -> QColor:
        """The colour of a token (shared: do not change it)."""
        found = self._colours.get(token)
        if found is None:
            found = QColor(getattr(self.tokens, token))
            self._colours[token] = found
        return found

    def shade(self, token: str, percent: int) -> QColor:
        """A token's colour at a share of opacity, 0 to 100."""
        made = QColor(self.colour(token))
        made.setAlphaF(percent / 100)
        return made

    def font(self, style: TextStyle) -> QFont:
        """The font of a text style (shared: copy it before changing)."""
        return fonts.font(style)

    def pixmap(self, name: str, token: str, size: int = 16, ratio: float = 1.0) -> QPixmap:
        """A lucide icon in a token's colour, `size` logical pixels at device pixel `ratio`."""
        return self._icons.pixmap(name, getattr(self.tokens, token), size, ratio)

    def read_icons(self) -> None:
        """Read the files of all icons now: later, on a running loop, nothing may open one."""
        self._icons.read_all()

    def icon(self, name: str, token: str = "mute", size: int = 16) -> QIcon:
        """The same as a QIcon with pictures for 1x and 2x (menus, native widgets)."""
        made = QIcon()
        for ratio in (1.0, 2.0):
            made.addPixmap(self.pixmap(name, token, size, ratio))
        return made

    def _choose(self) -> Tokens:
        if self._mode is Mode.SYSTEM:
            scheme = self._app.styleHints().colorScheme()
            return DARK if scheme == Qt.ColorScheme.Dark else LIGHT
        return DARK if self._mode is Mode.DARK else LIGHT

    def _system_changed(self) -> None:
        if self._mode is Mode.SYSTEM:
            self._switch()

    def _switch(self) -> None:
        chosen = self._choose()
        if chosen is self.tokens:
            return
        self.tokens = chosen
        self._apply()
        self.changed.emit()

    def _apply(self) -> None:
        self._colours.clear()
        self._app.setPalette(_palette(self.tokens))
        self._app.setStyleSheet(stylesheet.build(self.tokens))


class DarkTheme(Theme):
    """The dark table whatever the person chose; changes nothing of the application."""

    def __init__(self, theme: Theme) -> None:
        QObject.__init__(self, theme)
        self._mode = Mode.DARK
        self._colours = {}
        self._icons = theme._icons
        self.fonts_missing = theme.fonts_missing
        self._base = theme
        self.tokens = DARK
        theme.changed.connect(self.changed)  # a switch dresses the whole application anew

    @property
    def reduce_motion(self) -> bool:
        """As the person chose, also while a call is on."""
        return self._base.reduce_motion

    def dress(self, window: QWidget) -> None:
        """Give a window, and what stands in it, the palette and the sheet of the dark table."""
        window.setPalette(_palette(DARK))
        window.setStyleSheet(stylesheet.build(DARK))

    def colour_ground(self, part: QWidget) -> None:
        """Give a part that fills its own ground the palette: where the application has a sheet,
        the palette of a window does not reach what was polished before."""
        part.setPalette(_palette(DARK))


def _palette(tokens: Tokens) -> QPalette:
    """Tokens as Fusion understands them, so that even a plain Qt widget fits."""
    role = QPalette.ColorRole
    palette = QPalette()
    for which, colour in (
        (role.Window, tokens.window),
        (role.WindowText, tokens.ink),
        (role.Base, tokens.panel),
        (role.AlternateBase, tokens.hover),
        (role.Text, tokens.ink),
        (role.PlaceholderText, tokens.faint),
        (role.Button, tokens.panel),
        (role.ButtonText, tokens.ink),
        (role.BrightText, tokens.bad_text),
        (role.ToolTipBase, tokens.panel),
        (role.ToolTipText, tokens.ink),
        (role.Highlight, tokens.selection),
        (role.HighlightedText, tokens.ink),
        (role.Accent, tokens.accent),
        (role.Link, tokens.accent),
        (role.LinkVisited, tokens.accent),
        (role.Light, tokens.panel),
        (role.Midlight, tokens.line),
        (role.Mid, tokens.line),
        (role.Dark, tokens.edge),
        (role.Shadow, tokens.edge),
    ):
        palette.setColor(which, QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(disabled, which, QColor(tokens.faint))
    return palette
