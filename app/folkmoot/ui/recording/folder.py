"""Choosing the folder of recordings, and showing a file where it lies. Nothing here blocks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QDir, QFileInfo, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget


def _tr(text: str) -> str:
    return QCoreApplication.translate("Recording", text)


def short_path(path: str) -> str:
    """A path as one reads it: the home folder is ``~``."""
    home, path = QDir.homePath(), QDir.fromNativeSeparators(path)
    if path == home or path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return QDir.toNativeSeparators(path)


def choose_folder(parent: QWidget, now: str, chosen: Callable[[str], object]) -> QFileDialog:
    """Ask for a folder; `chosen` is called when somebody agreed to one."""
    dialog = QFileDialog(parent, _tr("Where recordings are kept"), now)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, _tr("Keep them here"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def show_in_folder(path: str) -> None:
    """Open the folder of a file in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(QFileInfo(path).absolutePath()))


def open_elsewhere(path: str) -> None:
    """Open a file with the program that the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))
