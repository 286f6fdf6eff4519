"""The menu of a recording with a track for each person: whose picture, whose voice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from folkmoot.ui.recording.engine import Engine


def _tr(text: str) -> str:
    return QCoreApplication.translate("Recording", text)


def track_name(title: str, number: int) -> str:
    """The name of a track as one reads it; the recorder writes ``Mara Oduya (camera)``."""
    if title.endswith(" (camera)"):
        return title.removesuffix(" (camera)")
    if title.endswith(" (screen)"):
        return _tr("{name}: screen").format(name=title.removesuffix(" (screen)"))
    return title or _tr("Track {n}").format(n=number + 1)


def open_tracks(engine: Engine, over: QWidget) -> None:
    """Open it over a button."""
    menu = QMenu(over.window())
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    picture, voice = engine.chosen
    if len(engine.pictures) > 1:
        _add(menu, _tr("Picture"), engine.pictures, picture, engine.choose_picture)
    if len(engine.voices) > 1:
        _add(menu, _tr("Voice"), engine.voices, voice, engine.choose_voice)
    size = menu.sizeHint()
    menu.popup(over.mapToGlobal(QPoint(over.width() - size.width(), -size.height() - 4)))


def _add(
    menu: QMenu, title: str, names: Sequence[str], chosen: int, choose: Callable[[int], None]
) -> None:
    if menu.actions():
        menu.addSeparator()
    menu.addAction(title).setEnabled(False)
    group = QActionGroup(menu)
    for number, name in enumerate(names):
        action = menu.addAction(track_name(name, number).replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(number == chosen)
        action.triggered.connect(lambda _on=False, number=number: choose(number))
        group.addAction(action)
