"""The whole story of a team, told from outside through the API of real processes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from e2e.nodes import ApiError, NodeProcess, nodes, until


def join(owner: NodeProcess, *others: NodeProcess) -> str:
    """Start a team and let the others in by one invitation; the id of its first channel."""
    team = owner.post("/teams", name="Harbour Studio")
    link = owner.call("POST", f"/teams/{team['id']}/invites", {})["link"]
    for other in others:
        assert other.post("/teams/join", invite=link)["id"] == team["id"]
    for node in (owner, *others):
        until(partial(node.session, "general"), f"#general at {node.name}")
        until(partial(_knows, node, team["id"], 1 + len(others)), f"members at {node.name}")
    return str(owner.session("general")["id"])


def _knows(node: NodeProcess, team: str, members: int) -> bool:
    return len(node.items(f"/teams/{team}/members")) == members


def test_three_computers_tell_the_story_of_the_first_slice(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin", "Tomas", "Mara") as (elin, tomas, mara):
        general = join(elin, tomas, mara)
        written = elin.post(f"/chat/sessions/{general}/messages", text="The mast is **up**.")
        for node in (tomas, mara):
            until(partial(node.texts, general), f"the message at {node.name}")
        tomas.call("PUT", f"/messages/{written['id']}/reactions/%F0%9F%91%8D")
        reply = mara.post(
            f"/chat/sessions/{general}/messages", text="Well done", thread=written["id"]
        )
        elin.call("PATCH", f"/messages/{written['id']}", {"text": "The mast is up and rigged."})

        def settled(node: NodeProcess) -> Any:
            root = node.items(f"/chat/sessions/{general}/messages")[0]
            return (
                root["edited"]
                and root["text"] == "The mast is up and rigged."
                and root["reply_count"] == 1
                and [(one["emoji"], one["people"]) for one in root["reactions"]]
                == [("👍", [tomas.person])]
            )

        for node in (elin, tomas, mara):
            until(partial(settled, node), f"edit, reaction and reply at {node.name}")
            assert node.texts(general, written["id"])[1:] == ["Well done"]
        mara.call("DELETE", f"/messages/{reply['id']}")
        until(lambda: "Well done" not in elin.texts(general, written["id"]), "the reply deleted")
        held = until(
            lambda: (
                (one := elin.get(f"/messages/{written['id']}/delivery"))["missing"] == [] and one
            ),
            "stored on all three",
        )
        assert sorted(held["stored_on"]) == sorted([elin.device, tomas.device, mara.device])


def test_what_was_missed_arrives_from_a_third_member_while_the_author_is_away(
    tmp_path: Path,
) -> None:
    with nodes(tmp_path, "Elin", "Tomas", "Mara") as (elin, tomas, mara):
        general = join(elin, tomas, mara)
        until(lambda: tomas.person in mara.linked(), "Mara linked to Tomas")
        mara.stop()
        elin.post(f"/chat/sessions/{general}/messages", text="While Mara was away")
        until(lambda: tomas.texts(general), "the message at Tomas")
        elin.stop()
        mara.start()
        until(
            lambda: mara.texts(general) == ["While Mara was away"],
            "the message at Mara, from Tomas",
            40,
        )
        assert elin.person not in mara.linked()


def test_a_direct_conversation_is_for_its_two_persons_only(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin", "Tomas", "Mara") as (elin, tomas, mara):
        general = join(elin, tomas, mara)
        team = elin.items("/teams")[0]["id"]
        direct = elin.post("/chat/sessions", kind="direct", team=team, participants=[tomas.person])
        elin.post(f"/chat/sessions/{direct['id']}/messages", text="Between us")
        until(
            lambda: any(one["id"] == direct["id"] for one in tomas.items("/chat/sessions")),
            "the conversation at Tomas",
        )
        until(lambda: tomas.texts(direct["id"]) == ["Between us"], "the text at Tomas")
        elin.post(f"/chat/sessions/{general}/messages", text="For all")
        until(lambda: mara.texts(general) == ["For all"], "the later channel message at Mara")
        with pytest.raises(ApiError) as refused:
            mara.get(f"/chat/sessions/{direct['id']}")
        assert refused.value.status == 404


def test_nothing_acknowledged_is_lost_when_both_sides_are_killed(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin", "Tomas") as (elin, tomas):
        general = join(elin, tomas)
        told: list[str] = []
        for round_number in range(3):
            for number in range(5):
                text = f"{round_number}.{number}"
                elin.post(f"/chat/sessions/{general}/messages", text=text)
                told.append(text)
            elin.kill()
            tomas.kill()
            elin.start()
            tomas.start()
            assert elin.texts(general) == told
        until(lambda: tomas.texts(general) == told, "everything at Tomas", 40)


def test_unread_grows_on_the_other_computer_only(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin", "Tomas") as (elin, tomas):
        general = join(elin, tomas)
        elin.post(f"/chat/sessions/{general}/messages", text="one")
        elin.post(f"/chat/sessions/{general}/messages", text="two")
        until(lambda: tomas.get(f"/chat/sessions/{general}")["unread"] == 2, "two unread")
        assert elin.get(f"/chat/sessions/{general}")["unread"] == 0


def test_a_wrong_invitation_is_refused_in_words(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin") as (elin,):
        with pytest.raises(ApiError) as refused:
            elin.post("/teams/join", invite="folkmoot://join/nonsense")
        assert refused.value.code == "wrong_invitation"
        assert refused.value.error["hint"]
