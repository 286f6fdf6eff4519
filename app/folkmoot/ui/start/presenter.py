"""Decides on the start screen: what may be started, asked and followed, and which words are said.

Keeps no widget; the view is told what to show. The name typed is the person's from the first act.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtGui import QGuiApplication

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId
from folkmoot.services.events import AskAnswered
from folkmoot.services.values import Identity, JoinOutcome, Team
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.model import WindowModel
from folkmoot.ui.start.invitation import LOOK_FIRST_MS, Invitation, read_invitation
from folkmoot.ui.start.state import Joining, NearbyRow, Step
from folkmoot.ui.start.view import StartView


def _tr(text: str) -> str:
    return QCoreApplication.translate("Start", text)


class StartPresenter(QObject):
    """Works the start screen until a team is there."""

    entered = Signal(bytes)
    """A team that was started or joined here."""

    def __init__(self, view: StartView, model: WindowModel, bridge: Bridge, profile: Path) -> None:
        super().__init__()
        self._view = view
        self._model = model
        self._bridge = bridge
        self._problems: dict[ConversationId, str] = {}
        self._joining: ConversationId | None = None
        self._awaited: set[ConversationId] = set()
        self._offered = ""
        self.invited = ""
        """The link that is shown as an invitation."""
        self._open = False
        view.welcome.profile.setText(_tr("Profile folder: {path}").format(path=profile))
        self._connect()
        self._show_nearby()
        self._say_who_sees_us()

    def _connect(self) -> None:
        view = self._view
        view.welcome.started.connect(self._name_team)
        view.welcome.pasted.connect(self._paste)
        view.welcome.offer_taken.connect(lambda: self.follow(self._offered))
        view.welcome.joined.connect(lambda: self.follow(self.invited))
        view.welcome.put_aside.connect(self._put_aside)
        view.name_team.started.connect(self._start_team)
        view.name_team.back.connect(self._welcome)
        view.paste.link.textChanged.connect(self._say_what_is_pasted)
        view.paste.joined.connect(lambda: self.follow(view.paste.link.text()))
        view.paste.back.connect(self._welcome)
        view.joining.cancelled.connect(self._cancel_joining)
        view.nearby.asked.connect(self._ask)
        view.nearby.cancelled.connect(self._cancel_ask)
        self._model.nearby_changed.connect(self._show_nearby)
        self._model.teams_changed.connect(self._teams_changed)

    def open(self) -> None:
        """The screen is shown: look around, and at the clipboard."""
        if not self._open:
            self._open = True
            QGuiApplication.clipboard().dataChanged.connect(self._look_at_clipboard)
        self._bridge.run(self._look(), "ui: look for teams nearby")
        self._look_at_clipboard()
        self._say_who_sees_us()
        self._view.show_step(Step.WELCOME)

    def leave(self) -> None:
        """Another page is shown: stop asking for names."""
        if self._open:
            self._open = False
            QGuiApplication.clipboard().dataChanged.disconnect(self._look_at_clipboard)
            self._bridge.tell(_stop_looking)
        if self.invited:
            self._put_aside()

    def invite(self, link: str) -> None:
        """Show an invitation that was opened from outside; nothing is joined before a press."""
        invitation = read_invitation(link)
        if invitation is None:
            return
        self.invited = link
        welcome = self._view.welcome
        welcome.say_problem("")
        welcome.show_invitation(invitation.team_name, invitation.meeting, LOOK_FIRST_MS)
        self._view.show_step(Step.WELCOME)

    def _put_aside(self) -> None:
        self.invited = ""
        self._view.welcome.show_invitation("")
        self._view.show_step(Step.WELCOME)

    def took_answer(self, answer: AskAnswered) -> None:
        """Somebody decided on our request."""
        if answer.state == "admitted":
            self._awaited.add(answer.team)
            self._enter_if_there()
            return
        self._problems[answer.team] = _tr("{team} did not let you in.").format(team=answer.name)
        self._show_nearby()

    def take_identity(self, identity: Identity) -> None:
        """The node is up: its names fill fields that nobody has touched.

        Without a team its name may be no more than that of the account, such as "root".
        """
        welcome = self._view.welcome
        for field, known in (
            (welcome.name, identity.name if self._model.teams else ""),
            (welcome.computer, identity.device_name),
        ):
            # The same text again would take away what somebody has selected to type over it.
            if known and known != field.text() and not field.isModified():
                field.setText(known)
        welcome.computer.setReadOnly(bool(self._model.teams))

    # --- starting a team

    def _welcome(self) -> None:
        self._view.show_step(Step.WELCOME)

    def _has_name(self) -> bool:
        welcome = self._view.welcome
        named = bool(welcome.name.text().strip())
        welcome.say_problem("" if named else _tr("Type your name first: others see it."))
        if not named:
            self._view.show_step(Step.WELCOME)
        return named

    def _name_team(self) -> None:
        if self._has_name():
            self._view.name_team.say_problem("")
            self._view.show_step(Step.NAME_TEAM)

    def _start_team(self) -> None:
        step = self._view.name_team
        if not step.name.text().strip():
            step.say_problem(_tr("Give the team a name. It can be changed later."))
            return
        if step.start.isEnabled():
            step.set_busy(True)
            self._bridge.run(self._create(), "ui: start a team")

    async def _create(self) -> None:
        step = self._view.name_team
        name, visible = step.name.text(), step.visible.isChecked()

        async def create(node: Node) -> Team:
            return await node.teams.create(name, visible)

        try:
            await self._name_myself()
            team = await self._bridge.ask(create)
        except FolkmootError as error:
            step.say_problem(str(error))
        else:
            step.name.clear()
            self.entered.emit(team.id)
        finally:
            step.set_busy(False)

    async def _name_myself(self) -> None:
        """Take the names typed; unchanged ones cost nothing."""
        identity = self._model.identity
        name = self._view.welcome.name.text().strip()
        computer = self._view.welcome.computer.text().strip()
        if identity is not None and (name, computer) == (identity.name, identity.device_name):
            return
        device = computer if identity and computer and computer != identity.device_name else None

        async def rename(node: Node) -> Identity:
            return await node.identity.rename(name, device)

        self._model.take_identity(await self._bridge.ask(rename))

    # --- invitations

    def _paste(self) -> None:
        if self._has_name():
            self._view.paste.say_problem("")
            self._view.paste.link.clear()
            self._view.show_step(Step.PASTE)

    def _look_at_clipboard(self) -> None:
        if not self._open:
            return
        data = QGuiApplication.clipboard().mimeData()
        text = data.text() if data is not None and data.hasText() else ""
        invitation = read_invitation(text)
        self._offered = text if invitation is not None else ""
        over = invitation.over if invitation is not None else ""
        self._view.welcome.say_offer(invitation.team_name if invitation is not None else "", over)

    def _say_what_is_pasted(self, text: str) -> None:
        invitation = read_invitation(text)
        words = ""
        if invitation is not None:
            to = _tr("Invitation to {team}.").format(team=invitation.team_name)
            words = f"{to} {invitation.meeting}"
        self._view.paste.say_what_it_is(words)

    def follow(self, text: str) -> None:
        """Join by an invitation: the person said so."""
        if not self._has_name():
            return
        invitation = read_invitation(text)
        if invitation is None:
            words = _tr(
                "This is not an invitation. It begins with folkmoot://join/ – copy all of it."
            )
            self._view.paste.say_problem(words)
            self._view.show_step(Step.PASTE)
            return
        self._joining = invitation.team
        self._awaited.add(invitation.team)
        self._show_joining(
            Joining(invitation.team_name, "", "", waiting=False, server=invitation.over)
        )
        self._view.show_step(Step.JOINING)
        work = self._join(text.strip(), invitation)
        self._bridge.run(work, "ui: follow an invitation")

    async def _join(self, link: str, invitation: Invitation) -> None:
        team, name, over = invitation.team, invitation.team_name, invitation.over

        async def join(node: Node) -> JoinOutcome:
            return await node.joining.join(link)

        try:
            await self._name_myself()
            outcome = await self._bridge.ask(join)
        except FolkmootError as error:
            if self._joining != team:
                return
            waiting = error.code == "nobody_reachable"
            if not waiting:
                self._awaited.discard(team)
            problem, hint = ("", "") if waiting else (error.message, error.hint)
            self._show_joining(Joining(name, problem, hint, waiting=waiting, server=over))
            return
        if outcome.state == "joined":
            self._enter_if_there()
        elif self._joining == team:
            self._show_joining(Joining(outcome.name or name, "", "", waiting=True, server=over))

    def _show_joining(self, joining: Joining) -> None:
        self._view.joining.show_joining(joining)

    def _cancel_joining(self) -> None:
        team, self._joining = self._joining, None
        if team is not None:
            self._awaited.discard(team)
            self._bridge.run(self._cancel(team), "ui: cancel an invitation")
        self._view.show_step(Step.WELCOME)

    # --- asking

    def _ask(self, team: bytes) -> None:
        if not self._has_name():
            return
        self._problems.pop(ConversationId(team), None)
        self._bridge.run(self._ask_for(ConversationId(team)), "ui: ask to join")

    async def _ask_for(self, team: ConversationId) -> None:
        async def ask(node: Node) -> None:
            await _settle(node.joining.ask(team))

        self._awaited.add(team)
        try:
            await self._name_myself()
            await self._bridge.ask(ask)
        except FolkmootError as error:
            self._awaited.discard(team)
            self._problems[team] = str(error)
        self._show_nearby()

    def _cancel_ask(self, team: bytes) -> None:
        self._awaited.discard(ConversationId(team))
        self._problems.pop(ConversationId(team), None)
        self._bridge.run(self._cancel(ConversationId(team)), "ui: stop asking")

    async def _cancel(self, team: ConversationId) -> None:
        async def cancel(node: Node) -> None:
            await _settle(node.joining.cancel(team))

        try:
            await self._bridge.ask(cancel)
        except FolkmootError as error:
            self._problems[team] = str(error)
        self._show_nearby()

    async def _look(self) -> None:
        async def look(node: Node) -> None:
            await _settle(node.nearby.start())

        try:
            await self._bridge.ask(look)
        except FolkmootError as error:
            self._view.nearby.say_problem(str(error))

    # --- what is shown

    def _show_nearby(self) -> None:
        self._view.nearby.show_rows(
            [
                NearbyRow(
                    team.id,
                    team.name,
                    team.computers_online,
                    team.asked,
                    team.words,
                    "" if team.asked else self._problems.get(team.id, ""),
                )
                for team in self._model.nearby
                if team.id not in self._model.teams
            ]
        )

    def _say_who_sees_us(self) -> None:
        seen = [team.name for team in self._model.teams.values() if team.visible]
        self._view.nearby.say_who_sees_us(
            _tr("Computers on this network can see: {teams}.").format(teams=", ".join(seen[:5]))
            if seen
            else _tr("Nobody can see this computer until you start or join a team.")
        )

    def _teams_changed(self) -> None:
        self._show_nearby()
        self._say_who_sees_us()
        self._enter_if_there()

    def _enter_if_there(self) -> None:
        """Open a team that was waited for, once it is ours."""
        for team in tuple(self._awaited):
            if team in self._model.teams:
                self._awaited.clear()
                self._joining = None
                self.entered.emit(team)
                return


async def _stop_looking(node: Node) -> None:
    await _settle(node.nearby.stop())


async def _settle(value: object) -> None:
    """Wait for what can be waited for."""
    if hasattr(value, "__await__"):
        await value
