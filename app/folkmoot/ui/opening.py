"""What a link from outside does in the window: it shows something, and never acts by itself.

Keeps one link until it can be shown, and has one dialog up: the newest wins.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from folkmoot.domain.errors import UserError
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.dialogs.invited import InvitedDialog, LinkWords
from folkmoot.ui.model import WindowModel
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.invitation import PREFIX, open_invitation
from folkmoot.ui.theme.theme import Theme


class Opening(QObject):
    """The links that were opened with one window."""

    invited = Signal(str)
    """An invitation for the start screen, which is in front."""
    agreed = Signal(str)
    """The person wants to follow this invitation."""
    team_wanted = Signal(bytes)

    def __init__(self, shell: Shell, theme: Theme, model: WindowModel) -> None:
        super().__init__()
        self._shell = shell
        self._theme = theme
        self._model = model
        self._link = ""
        self._form: Form | None = None

    def take(self, link: str) -> None:
        """Keep `link` until `show`, instead of the one before; an empty one changes nothing."""
        self._link = link or self._link

    def show(self, *, on_start: bool) -> None:
        """Show what is kept. `on_start`: the start screen is in front, not a team."""
        link, self._link = self._link, ""
        if not link:
            return
        if self._form is not None:
            self._form.reject()
        try:
            self._show(link, on_start=on_start)
        except UserError as error:
            title = self.tr("This link cannot be opened")
            self._put_up(LinkWords(self._shell, self._theme, title, str(error)))

    def _show(self, link: str, *, on_start: bool) -> None:
        if not link.startswith(PREFIX):
            raise UserError(
                "wrong_link",
                self.tr("This version of Folkmoot does not know what it is for."),
                self.tr("Install the newest version here, then open it again."),
            )
        invitation = open_invitation(link)
        team = self._model.teams.get(invitation.team)
        if team is not None:
            self.team_wanted.emit(team.id)
            title = self.tr("You are in this team already")
            words = self.tr("The link is an invitation to {team}, which is open now.")
            words = words.format(team=team.name)
            self._put_up(LinkWords(self._shell, self._theme, title, words))
        elif on_start:
            self.invited.emit(link)
        else:
            identity = self._model.identity
            name = identity.name if identity is not None else ""
            form = InvitedDialog(self._shell, self._theme, invitation, name)
            form.submitted.connect(form.accept)
            form.submitted.connect(lambda: self.agreed.emit(link))
            self._put_up(form)

    def _put_up(self, form: Form) -> None:
        self._form = form
        form.finished.connect(lambda: self._gone(form))
        form.open()

    def _gone(self, form: Form) -> None:
        if self._form is form:
            self._form = None
