"""A page that says why nothing can be done here, where the window would be."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import EnvironmentFault, FolkmootError
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.surfaces import EmptyState


def fault_page(shell: Shell, theme: Theme, error: FolkmootError) -> QWidget:
    """What is wrong, what to do, and a button that closes the window."""
    hint = error.hint.replace("--", "\u2060-\u2060-\u2060")  # no line ends inside an option
    page = EmptyState("triangle-alert", error.message, hint, theme, act=_tr("Close"))
    page.acted.connect(shell.close)
    return page


def broken(error: Exception) -> FolkmootError:
    """The words for a program that is not whole."""
    message = _tr("Folkmoot could not start ({what}).").format(what=type(error).__name__)
    return EnvironmentFault(
        "internal_error", message, _tr("What you wrote is safe. Installing Folkmoot anew may help.")
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Fault", text)
