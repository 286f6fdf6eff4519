"""The main view as it was left, drawn before there is a node.

Imports nothing that the first frame does not show.
"""

from __future__ import annotations

from folkmoot.services.values import FirstPage
from folkmoot.ui.main.state import header_state, place_words, rail_state, side_bar_state
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.theme.theme import Theme


def build_main(theme: Theme, first: FirstPage) -> MainView:
    """The main view with everything that `first` knows."""
    model = WindowModel()
    model.take_first(first)
    view = MainView(theme)
    team = first.team if first.team in model.teams else first.teams[0].id
    view.rail.show_teams(rail_state(model, team))
    view.side_bar.show_state(side_bar_state(model, team, first.conversation))
    conversation = model.conversations.get(first.conversation) if first.conversation else None
    if conversation is not None:
        view.header.show_state(header_state(model, conversation))
        words = place_words(model, conversation)
        view.conversation.composer.set_placeholder(view.tr("Message {place}").format(place=words))
        if first.page is not None:
            view.conversation.timeline.model.show_page(first.page)
        view.conversation.composer.put(model.drafts.get((conversation.id, None), ""))
    return view
