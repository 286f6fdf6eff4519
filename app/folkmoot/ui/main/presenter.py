"""Decides in the main window: which team and conversation are open, and what stands around them.

Reading and writing in a conversation are `conversation.presenter`'s, the right pane is `beside`'s,
dialogs open themselves in `dialogs.presenter`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QRect, QTimer, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.events import Event
from folkmoot.services.values import Conversation, ConversationKind, FirstPage, Invite
from folkmoot.ui.about.desk import About
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.connections.desk import Connections
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.conversation.presenter import ConversationPresenter
from folkmoot.ui.dialogs.presenter import Dialogs
from folkmoot.ui.facade import Node
from folkmoot.ui.feed import Feed
from folkmoot.ui.main import empty
from folkmoot.ui.main.beside import Beside
from folkmoot.ui.main.calls import CallGate
from folkmoot.ui.main.doorkeeper import Doorkeeper
from folkmoot.ui.main.menus import Menus
from folkmoot.ui.main.moment import Moments
from folkmoot.ui.main.shortcuts import Shortcuts
from folkmoot.ui.main.state import header_state, place_words, rail_state, side_bar_state
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.emoji import EmojiList

INVITE_S = 7 * 24 * 3600


class MainPresenter(QObject):
    """Works a `MainView`."""

    start_wanted = Signal()
    """The start screen, for another team."""

    def __init__(
        self,
        view: MainView,
        shell: Shell,
        theme: Theme,
        model: WindowModel,
        feed: Feed,
        bridge: Bridge,
        profile: Path,
        emoji: EmojiList,
        connections: Connections,
    ) -> None:
        super().__init__()
        self.view = view
        self.team: ConversationId | None = None
        self.conversation: ConversationId | None = None
        self._shell = shell
        self._theme = theme
        self._model = model
        self._bridge = bridge
        self._drafting = Drafting(model, bridge)
        self.reading = ConversationPresenter(
            view.conversation, model, bridge, self._drafting, emoji
        )
        self.dialogs = Dialogs(shell, theme, model, bridge)
        self.about = About(shell, theme, model, bridge, profile)
        self.beside = Beside(view, model, bridge, self._drafting, emoji)
        self.door = Doorkeeper(view, model, bridge)
        self.connections = connections
        self.menus = Menus(self, model)
        self.calls = CallGate(
            *(view, shell, theme, model, feed, bridge, self._drafting, emoji),
            lambda: self.conversation,
        )
        self.beside.thread_made.connect(self.calls.attend)
        self.shortcuts = Shortcuts(self, shell)
        self.moments = Moments(self, shell, bridge)
        self._feed = feed
        self._last: dict[ConversationId, ConversationId] = {}
        self._opening: ConversationId | None = None
        self._waits = False
        self._refresh = QTimer(view)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self._follow)
        self._connect(feed)

    def _connect(self, feed: Feed) -> None:
        view, model = self.view, self._model
        view.rail.chosen.connect(lambda team: self.open_team(ConversationId(team)))
        view.rail.added.connect(self.start_wanted)
        view.side_bar.chosen.connect(lambda c: self.open_conversation(ConversationId(c)))
        view.side_bar.channel_wanted.connect(lambda: self.with_team(self.dialogs.create_channel))
        view.side_bar.direct_wanted.connect(lambda: self.with_team(self.dialogs.new_direct))
        view.side_bar.team_menu_wanted.connect(self.menus.open_team)
        view.side_bar.settings_wanted.connect(self.dialogs.settings)
        view.header.topic_typed.connect(self._set_topic)
        view.header.name_pressed.connect(self._open_channel_menu)
        view.header.members_pressed.connect(self._toggle_members)
        view.header.reach_pressed.connect(self._show_reach)
        self.reading.thread_wanted.connect(self.beside.open_thread)
        self.reading.link_pressed.connect(self.dialogs.open_link)
        self.beside.link_pressed.connect(self.dialogs.open_link)
        self.beside.invite_wanted.connect(lambda: self.with_team(self.dialogs.invite))
        self.beside.person_chosen.connect(self.write_to)
        self.beside.person_menu_wanted.connect(
            lambda person, where: self.menus.open_member(PersonId(person), where)
        )
        self.beside.closed.connect(self._show_around)
        self.calls.opened.connect(lambda c: self.open_conversation(ConversationId(c)))
        self.calls.link_pressed.connect(self.dialogs.open_link)
        self.calls.moment_wanted.connect(self.moments.show)
        self.dialogs.recordings_wanted.connect(lambda: self.calls.desk.library.open())
        self.dialogs.devices_wanted.connect(lambda: self.calls.desk.open_settings())
        self.dialogs.connections_wanted.connect(lambda: self.connections.open_servers())
        self.door.why_wanted.connect(lambda: self.connections.open_doctor())
        self.door.restart_wanted.connect(self._shell.start_again)
        self.dialogs.about_wanted.connect(self.about.open)
        self.about.notes_wanted.connect(self.dialogs.open_link)
        self.door.notes_wanted.connect(self.dialogs.open_link)
        self.door.dismissed.connect(self.about.dismiss)
        self.dialogs.opened.connect(lambda c: self.open_conversation(ConversationId(c)))
        feed.message_event.connect(self._take)
        feed.reloaded.connect(self._read_anew)
        for changed in (
            model.identity_changed,
            model.teams_changed,
            model.conversations_changed,
            model.members_changed,
            model.presence_changed,
            model.notices_changed,
            model.peers_changed,
            model.call_changed,
            self._drafting.began_or_ended,
        ):
            changed.connect(lambda *_: self._refresh.start())

    # --- opening

    def begin(self, first: FirstPage | None) -> None:
        """Take over what the first frame shows."""
        if first is None or not first.teams:
            return
        self.team = first.team if first.team in self._model.teams else first.teams[0].id
        self.conversation = first.conversation
        if self.conversation in self._model.conversations and first.page is not None:
            assert self.conversation is not None
            self.reading.adopt((self.conversation, None), self._make_empty)
            self._last[self.team] = self.conversation
        self._show_around()
        self.view.conversation.composer.setFocus()

    def loaded(self) -> None:
        """The node answered: the conversation is read as it is now."""
        if self.team not in self._model.teams:
            teams = list(self._model.teams)
            if teams:
                self.open_team(teams[0])
            return
        # What was clicked before there was an answer counts, not what the last session left.
        wanted = self._opening or self.conversation
        current = self._model.conversations.get(wanted) if wanted else None
        if current is None:
            self.open_team(self.team)
        elif current.unread or self._opening:
            self.open_conversation(current.id)
        else:
            self.reading.refresh()

    def open_team(self, team: ConversationId) -> None:
        """Show a team where it was left, else its first channel."""
        if team not in self._model.teams:
            return
        self.team = team
        self.beside.close()
        channels = self._model.channels(team)
        last = self._last.get(team)
        if last not in self._model.conversations:
            last = channels[0].id if channels else None
        self._waits = last is None
        if last is not None:
            self.open_conversation(last)
        else:
            self._show_around()

    def open_conversation(
        self, id_: ConversationId, then: Callable[[], object] = lambda: None
    ) -> None:
        """Show a conversation; the text of the one before stays until the new one is there."""
        conversation = self._model.conversations.get(id_)
        if conversation is None:
            return
        if self.conversation != id_:
            self.beside.leave_for(conversation)

        self._opening = id_

        def shown() -> None:
            self._opening = None
            self.conversation = id_
            self.team = conversation.team or self.team
            if self.team is not None:
                self._last[self.team] = id_
            if conversation.kind is ConversationKind.DIRECT:
                self._feed.read_peers()
            self._show_around()
            self.view.fold_side_bar()
            self.view.conversation.composer.setFocus()
            self._remember()
            then()

        self.reading.open(
            (id_, None),
            unread=conversation.unread > 0,
            make_empty=self._make_empty_of(id_),
            shown=shown,
        )

    def step(self, by: int) -> None:
        """The conversation above or below in the side bar."""
        rows = [row.row.conversation for row in self.view.side_bar.rows]
        if not rows:
            return
        at = rows.index(self.conversation) if self.conversation in rows else 0
        self.open_conversation(rows[(at + by) % len(rows)])

    def set_active(self, active: bool) -> None:
        """The window became the active one, or is no longer: a good moment to save."""
        if not active:
            self._drafting.save()

    def save(self) -> None:
        """Save what is not on disk yet."""
        self._drafting.save()

    def _remember(self) -> None:
        team, conversation = self.team, self.conversation

        async def keep(node: Node) -> None:
            await node.settings.set("window.team", team.hex() if team else None)
            await node.settings.set(
                "window.conversation", conversation.hex() if conversation else None
            )

        self._bridge.tell(keep)

    # --- what stands around

    def _follow(self) -> None:
        """Something changed. A team that was joined a moment ago has its channels only now."""
        if self._waits and self.team is not None and self._model.channels(self.team):
            self.open_team(self.team)
        else:
            self._show_around()

    def _show_around(self) -> None:
        if self.team not in self._model.teams:
            return
        team = self.team
        view = self.view
        rail_was = view.rail.isHidden()
        view.rail.show_teams(rail_state(self._model, team))
        if view.rail.isHidden() != rail_was:
            view.replace()
        view.side_bar.show_state(side_bar_state(self._model, team, self.conversation))
        current = self._model.conversations.get(self.conversation) if self.conversation else None
        view.conversation.composer.setEnabled(current is not None)
        if current is None:
            self._wait_for_channels(team)
            return
        view.header.show_state(header_state(self._model, current))
        view.header.members.setChecked(self.beside.shows_members)
        words = place_words(self._model, current)
        view.conversation.composer.set_placeholder(self.tr("Message {place}").format(place=words))
        self._shell.say_where(words, self._model.teams[team].name)
        if self._empty_kind != self._kind_of_empty(current):
            self.reading.renew_empty(self._make_empty)

    def _wait_for_channels(self, team: ConversationId) -> None:
        """A team that was just joined: its channels are on their way."""
        name = self._model.teams[team].name
        self._shell.say_where(name)
        if self._waits and self._empty_kind != ("waiting", name):
            self._empty_kind = ("waiting", name)
            self.view.conversation.show_empty(empty.arriving(self._theme, name))

    _empty_kind: tuple[object, ...] = ()

    def _kind_of_empty(self, conversation: Conversation) -> tuple[object, ...]:
        team = self._model.teams.get(conversation.team) if conversation.team else None
        alone = (
            team is not None
            and conversation.kind is ConversationKind.CHANNEL
            and len(self._model.members.get(team.id, ())) <= 1
            and team.members <= 1
        )
        name = place_words(self._model, conversation)
        if alone and team is not None:
            return ("alone", team.name, team.visible)
        if conversation.kind is ConversationKind.CHANNEL:
            return ("channel", conversation.name)
        return ("direct" if self._model.others(conversation) else "notes", name)

    def _make_empty(self) -> QWidget:
        return self._make_empty_of(self.conversation)()

    def _make_empty_of(self, id_: ConversationId | None) -> Callable[[], QWidget]:
        def make() -> QWidget:
            conversation = self._model.conversations.get(id_) if id_ is not None else None
            if conversation is None:
                return QWidget()
            self._empty_kind = kind = self._kind_of_empty(conversation)
            if kind[0] == "alone":
                return self._make_alone(str(kind[1]), visible=bool(kind[2]))
            made = {
                "channel": empty.fresh_channel,
                "notes": empty.fresh_notes,
                "direct": empty.fresh_direct,
            }[str(kind[0])]
            return made(self._theme, str(kind[1]))

        return make

    def _make_alone(self, team: str, *, visible: bool) -> QWidget:
        state = empty.AloneState(self._theme, team, visible=visible)

        async def invite(node: Node) -> Invite:
            assert self.team is not None
            return await node.teams.invite(self.team, expires_s=INVITE_S)

        async def work() -> None:
            try:
                made = await self._bridge.ask(invite)
            except FolkmootError as error:
                state.say_problem(str(error))
            else:
                state.show_link(made.link)

        def wanted() -> None:
            state.invite.setEnabled(False)
            self._bridge.run(work(), "ui: make an invitation")

        state.invite_wanted.connect(wanted)
        return state

    def _take(self, event: Event) -> None:
        self.reading.take(event)
        self.beside.take(event)

    def _read_anew(self) -> None:
        self.reading.refresh()
        self.beside.refresh()

    # --- acts

    def with_team(self, act: Callable[[ConversationId], None]) -> None:
        """Do something about the team that is shown."""
        if self.team is not None:
            act(self.team)

    def _toggle_members(self) -> None:
        conversation = self._model.conversations.get(self.conversation or ConversationId(b""))
        if conversation is not None:
            self.beside.toggle_members(conversation, self.team)
            self._show_around()

    def _open_channel_menu(self) -> None:
        conversation = self._model.conversations.get(self.conversation or ConversationId(b""))
        if conversation is not None and conversation.kind is ConversationKind.CHANNEL:
            self.menus.open_channel(conversation)

    def _show_reach(self) -> None:
        conversation = self._model.conversations.get(self.conversation or ConversationId(b""))
        others = self._model.others(conversation) if conversation is not None else []
        if len(others) == 1:
            button = self.view.header.reach
            anchor = QRect(button.mapToGlobal(QPoint(0, 0)), button.size())
            self.connections.show_card(others[0], anchor)

    def _set_topic(self, topic: str) -> None:
        conversation = self.conversation
        known = self._model.conversations.get(conversation) if conversation else None
        if conversation is None or known is None or topic.strip() == known.topic:
            return

        async def change(node: Node) -> Conversation:
            return await node.conversations.set_topic(conversation, topic.strip())

        async def work() -> None:
            try:
                self._model.take_conversation(await self._bridge.ask(change))
            except FolkmootError as error:
                self.view.conversation.composer.say(str(error), bad=True)

        self._bridge.run(work(), "ui: set a topic")

    def write_to(self, person: PersonId) -> None:
        """Open the direct conversation with somebody."""
        team = self.team

        async def start(node: Node) -> Conversation:
            return await node.conversations.open_direct(team, [person])

        async def work() -> None:
            try:
                conversation = await self._bridge.ask(start)
            except FolkmootError as error:
                self.view.conversation.composer.say(str(error), bad=True)
                return
            self._model.take_conversation(conversation)
            self.open_conversation(conversation.id)

        self._bridge.run(work(), "ui: write to somebody")
