"""Checks of Qt: a window, pictures, letters, translations, the socket of a second start.

Each looks at pixels or at words that came out. Refuses to run where Qt would end the process.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QRawFont
from PySide6.QtWidgets import QApplication, QWidget

from folkmoot.domain.errors import Lacking
from folkmoot.resources import resource_path
from folkmoot.system.display import find_display_fault

_WAIT_S = 8.0
_CANCEL = {"de": "Abbrechen", "fr": "Annuler", "ja": "キャンセル"}
_LEFT, _RIGHT = QColor(30, 90, 200), QColor(240, 180, 20)


def application() -> QApplication:
    """The application object. Raises the fault ``no_display`` where Qt would end the process."""
    fault = find_display_fault()
    if fault is not None:
        raise fault
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    return QApplication(["folkmoot"])


def turn_until(holds: Callable[[], bool], what: str) -> None:
    """Let Qt work until something holds. Raises `Lacking` where it never does."""
    until = time.monotonic() + _WAIT_S
    while not holds():
        QApplication.processEvents()
        if time.monotonic() > until:
            raise Lacking(f"{what} did not come within {_WAIT_S:g} s.")
        time.sleep(0.005)


class _Painted(QWidget):
    """A small window of two colours, which counts how often it was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle("Folkmoot")
        self.resize(160, 80)
        self.painted = 0

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the halves."""
        self.painted += 1
        painter = QPainter(self)
        half = self.width() // 2
        painter.fillRect(0, 0, half, self.height(), _LEFT)
        painter.fillRect(half, 0, self.width() - half, self.height(), _RIGHT)


def check_platform(_: Path) -> str:
    """A window comes up and is painted by the display."""
    made = application()
    window = _Painted()
    window.show()
    try:
        turn_until(lambda: window.painted > 0, "A window that is painted")
        picture = window.grab().toImage()
        for colour, place in ((_LEFT, 0.25), (_RIGHT, 0.75)):
            at = round(picture.width() * place), picture.height() // 2
            _compare("A window", picture.pixelColor(*at), colour)
    finally:
        window.close()
    return f"{made.platformName()}: a window came up and was painted in the right colours"


def check_svg(_: Path) -> str:
    """An icon and the program's own picture are drawn, and something can be seen."""
    application()
    from folkmoot.ui.theme.icons import IconCache, app_icon

    drawn = IconCache().pixmap("send-horizontal", "#ff0000", 48, 1.0).toImage()
    ink = _ink(drawn, QColor(255, 0, 0))
    if ink < 40:
        raise Lacking(f"An SVG icon was drawn with {ink} pixels of ink.")
    own = _ink(app_icon().pixmap(64, 64).toImage(), None)
    if own < 500:
        raise Lacking(f"The program’s own icon was drawn with {own} pixels of ink.")
    return f"an icon drawn with {ink} pixels of ink, the program’s own with {own}"


def _ink(picture: QImage, colour: QColor | None) -> int:
    """Pixels that are mostly there, and (if one is given) of a colour."""
    count = 0
    for y in range(picture.height()):
        for x in range(picture.width()):
            pixel = picture.pixelColor(x, y)
            if pixel.alpha() > 128 and (colour is None or _apart(pixel, colour) < 40):
                count += 1
    return count


def _apart(one: QColor, other: QColor) -> int:
    return max(
        abs(one.red() - other.red()),
        abs(one.green() - other.green()),
        abs(one.blue() - other.blue()),
    )


def _compare(what: str, pixel: QColor, wanted: QColor, tolerance: int = 12) -> None:
    if _apart(pixel, wanted) > tolerance:
        raise Lacking(f"{what} shows {pixel.name()} where {wanted.name()} should be.")


def check_image_formats(_: Path) -> str:
    """A picture of each format that people send is decoded to the right colours."""
    application()
    from folkmoot.bootstrap.selftest.pictures import PICTURES

    for name, (text, tolerance) in PICTURES.items():
        picture = QImage()
        if not picture.loadFromData(base64.b64decode(text), name):
            raise Lacking(f"Qt cannot read {name}: its plugin is missing or does not load.")
        if (picture.width(), picture.height()) != (16, 8):
            raise Lacking(f"{name} was read as {picture.width()}x{picture.height()} pixels.")
        for at, wanted in ((3, _LEFT), (12, _RIGHT)):
            _compare(name, picture.pixelColor(at, 4), wanted, tolerance)
    return f"{', '.join(PICTURES)} decoded to the right colours"


def check_fonts(_: Path) -> str:
    """Letters are drawn with the bundled typefaces, not with what is installed."""
    application()
    from folkmoot.ui.theme.fonts import TextStyle, font, load_fonts

    missing = load_fonts()
    if missing:
        raise Lacking(f"Qt does not take the fonts {', '.join(missing)}.")
    for style, family in ((TextStyle.BODY, "Inter"), (TextStyle.CODE, "JetBrains Mono")):
        used = QRawFont.fromFont(font(style))
        if used.familyName() != family:
            raise Lacking(f"Text is drawn with “{used.familyName()}” instead of {family}.")
        if not used.supportsCharacter(ord("ä")):
            raise Lacking(f"The bundled {family} has no letter ä.")
    picture = QImage(200, 40, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setFont(font(TextStyle.DISPLAY))
    painter.drawText(4, 30, "Folkmoot")
    painter.end()
    ink = _ink(picture, None)
    if ink < 200:
        raise Lacking(f"A word was drawn with {ink} pixels of ink.")
    return f"Inter and JetBrains Mono are used; a word drawn with {ink} pixels of ink"


def check_resources(_: Path) -> str:
    """Every file that ships is there; icons are drawn, lists are read."""
    application()
    from folkmoot.protocol.words import read_words
    from folkmoot.ui.theme.icons import IconCache
    from folkmoot.ui.widgets.emoji import EmojiList

    names = resource_path("names.txt").read_text("utf-8").split()
    missing = [name for name in names if not _is_there(name)]
    if missing:
        raise Lacking(f"{len(missing)} files are missing: {', '.join(missing[:5])}.")
    icons = [Path(name).stem for name in names if name.startswith("icons/") and ".svg" in name]
    cache = IconCache()
    empty = [
        name for name in icons if not _ink(cache.pixmap(name, "#000000", 24, 1.0).toImage(), None)
    ]
    if empty:
        raise Lacking(f"These icons show nothing: {', '.join(empty[:5])}.")
    emoji = len(EmojiList().all)
    words = len(read_words(resource_path("words/english.txt").read_text("utf-8")))
    if not (icons and emoji and words):
        raise Lacking(f"There are {len(icons)} icons, {emoji} emoji, {words} words.")
    return f"{len(names)} files, of them {len(icons)} icons drawn; {emoji} emoji, {words} words"


def _is_there(name: str) -> bool:
    try:
        return resource_path(name).stat().st_size > 0
    except OSError:
        return False


def check_translations(_: Path) -> str:
    """Qt’s own words are there in other languages, and the window takes them."""
    made = application()
    from folkmoot.ui.language import translate_qt

    for language, cancel in _CANCEL.items():
        translator = translate_qt(made, QLocale(language))
        if translator is None:
            raise Lacking(f"Qt’s words in “{language}” (qtbase_{language}.qm) are missing.")
        said = made.translate("QPlatformTheme", "Cancel")
        made.removeTranslator(translator)
        if said != cancel:
            raise Lacking(f"Qt’s “Cancel” in “{language}” is “{said}”.")
    return f"Qt’s “Cancel” is {', '.join(f'“{word}”' for word in _CANCEL.values())}"


def check_single_instance(folder: Path) -> str:
    """A second start is refused the profile and asks the first one to come forward."""
    application()
    from folkmoot.system.activation import Activation
    from folkmoot.system.instance import WINDOW, Instance, ProfileInUse
    from folkmoot.system.profile import open_profile

    profile = open_profile(folder / "profile")
    first = Instance(profile, WINDOW)
    came: list[bool] = []
    activation = Activation(profile.folder, lambda _link: came.append(True))
    try:
        try:
            Instance(profile, WINDOW).release()
        except ProfileInUse as fault:
            if fault.kind != WINDOW:
                raise Lacking("The lock of a profile does not say who holds it.") from fault
        else:
            raise Lacking("Two windows can run on one profile at once.")
        _ask(profile.folder, came)
    finally:
        activation.close()
        first.release()
    return "a second start was refused, and its word came to the first"


def _ask(folder: Path, came: list[bool]) -> None:
    """Ask as a second start does, again until it is taken. In this thread, which lets the first one
    answer meanwhile: Qt in a thread beside the window's may end the process."""
    from folkmoot.system.activation import ask_to_come_forward

    turn_until(
        lambda: ask_to_come_forward(folder, meanwhile=QApplication.processEvents),
        "The word of a second start",
    )
    if not came:
        raise Lacking("The word of a second start was taken, and nothing came of it.")
