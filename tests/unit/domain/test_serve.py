"""Who may see, post, set and delete, and who is let in."""

from __future__ import annotations

from dataclasses import replace

from builders.writers import START_MS, Writer, admit, invite, seed, state_of
from folkmoot.domain import serve
from folkmoot.domain.bodies import Channel, Grant, Level
from folkmoot.domain.direct import direct_id
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey
from folkmoot.domain.serve import Verdict
from folkmoot.domain.team import TeamState

ANN, BOB, GUEST, EVE = Writer("ann"), Writer("bob"), Writer("guest"), Writer("eve")
TEAM = ANN.found().id
BOBS = ANN.write(TEAM, TEAM, Grant(BOB.person, Level.MEMBER)).id
OPEN = ConversationId(BOB.write(TEAM, BOBS, Channel("open")).id)
NEWS = ConversationId(ANN.write(TEAM, TEAM, Channel("news", Level.ADMIN)).id)
GUESTS = ANN.write(TEAM, TEAM, Grant(GUEST.person, Level.GUEST, channels=(EntryId(OPEN),))).id
STATE: TeamState = state_of(TEAM, ANN, BOB)
HOME = ConversationId(TEAM)


def test_a_member_sees_every_public_channel_and_a_guest_only_theirs() -> None:
    seen = {
        who.name: [c for c in (HOME, OPEN, NEWS) if serve.may_see(STATE, who.person, c)]
        for who in (ANN, BOB, GUEST, EVE)
    }
    assert seen == {
        "ann": [HOME, OPEN, NEWS],
        "bob": [HOME, OPEN, NEWS],
        "guest": [HOME, OPEN],
        "eve": [],
    }


def test_a_direct_conversation_is_seen_by_its_persons_only() -> None:
    assert serve.may_see_direct((ANN.person, BOB.person), BOB.person)
    assert not serve.may_see_direct((ANN.person, BOB.person), EVE.person)
    assert direct_id([ANN.person, BOB.person]) == direct_id([BOB.person, ANN.person, BOB.person])


def test_one_posts_from_the_level_on_that_the_channel_asks_for() -> None:
    assert serve.grant_to_post(STATE, ANN.person, NEWS) == TEAM
    assert serve.grant_to_post(STATE, BOB.person, NEWS) is None
    assert serve.grant_to_post(STATE, BOB.person, OPEN) == BOBS
    assert serve.grant_to_post(STATE, GUEST.person, OPEN) == GUESTS
    assert serve.grant_to_post(STATE, EVE.person, OPEN) is None
    assert serve.grant_to_post(STATE, ANN.person, ConversationId(seed("none"))) is None


def test_who_posts_may_set_the_topic_and_creator_or_admin_the_name() -> None:
    def to_set(who: Writer, key: str, channel: ConversationId = OPEN) -> EntryId | None:
        return serve.grant_to_set(STATE, who.person, channel, key)

    assert to_set(GUEST, "topic") == GUESTS
    assert to_set(BOB, "topic", NEWS) is None
    assert to_set(BOB, "name") == BOBS
    assert to_set(ANN, "name") == TEAM
    assert to_set(GUEST, "name") is None
    assert to_set(BOB, "name", NEWS) is None
    assert to_set(ANN, "later") is None
    assert to_set(ANN, "topic", ConversationId(seed("none"))) is None


def test_a_setting_has_the_shape_its_key_asks_for() -> None:
    assert serve.fits_setting("topic", "")
    assert serve.fits_setting("name", "boats")
    assert not serve.fits_setting("name", "")
    assert not serve.fits_setting("topic", "two\nlines")
    assert not serve.fits_setting("topic", True)


def test_one_deletes_ones_own_and_an_admin_deletes_in_channels_not_in_directs() -> None:
    grant = STATE.grants[TEAM]
    assert serve.may_delete(BOB.person, ANN.person, grant)
    assert not serve.may_delete(BOB.person, ANN.person, None)
    assert serve.may_delete(BOB.person, BOB.person, None)
    assert serve.grant_to_delete(STATE, ANN.person, OPEN, BOB.person) == TEAM
    assert serve.grant_to_delete(STATE, BOB.person, OPEN, ANN.person) is None
    assert serve.grant_to_delete(STATE, BOB.person, OPEN, BOB.person) == BOBS
    assert serve.may_edit(BOB.person, BOB.person)
    assert not serve.may_edit(BOB.person, ANN.person)


def test_a_log_is_taken_from_who_holds_its_grant_and_waits_for_what_is_not_known() -> None:
    def judge(conversation: bytes, grant: bytes, who: Writer) -> Verdict:
        log = LogKey(ConversationId(conversation), who.device, EntryId(grant))
        return serve.judge_log(STATE, log, who.person)

    assert judge(TEAM, BOBS, BOB) is Verdict.TAKE
    assert judge(OPEN, GUESTS, GUEST) is Verdict.TAKE
    assert judge(NEWS, GUESTS, GUEST) is Verdict.REFUSE
    assert judge(OPEN, BOBS, EVE) is Verdict.REFUSE
    assert judge(TEAM, ZERO, ANN) is Verdict.REFUSE
    assert judge(OPEN, seed("later"), EVE) is Verdict.WAIT
    assert judge(seed("later channel"), BOBS, BOB) is Verdict.WAIT


def test_a_grant_that_does_not_stand_gives_nothing() -> None:
    fallen = replace(STATE.grants[BOBS], standing=False)
    state = replace(STATE, grants={**STATE.grants, BOBS: fallen})
    log = LogKey(OPEN, BOB.device, BOBS)
    assert serve.judge_log(state, log, BOB.person) is Verdict.REFUSE
    assert not serve.may_see(state, BOB.person, OPEN)
    assert not serve.may_post(state.channels[OPEN], fallen)


def test_an_invitation_is_judged_by_time_and_uses() -> None:
    ann, carl, dora = Writer("ann2"), Writer("carl"), Writer("dora")
    team = ann.found().id
    terms = replace(invite("once"), uses=1, expires_ms=START_MS + 1000)
    made = ann.write(team, team, terms)
    before = state_of(team, ann)

    def judge(state: TeamState, who: Writer, now: int = START_MS) -> str:
        return serve.judge_invite(state, made.id, who.person, now)

    assert judge(before, carl) == "ok"
    assert judge(before, carl, START_MS + 1000) == "expired"
    assert serve.judge_invite(before, EntryId(seed("x")), carl.person, 0) == "unknown_invitation"
    ann.write(team, team, admit(team, made, "once", carl))
    after = state_of(team, ann)
    assert judge(after, carl) == "already"
    assert judge(after, dora) == "used_up"
