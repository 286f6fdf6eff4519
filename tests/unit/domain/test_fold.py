"""The fold: who belongs to a team and what they may do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.writers import Writer, admit, facts_of, invite, seed, state_of
from folkmoot.domain.bodies import (
    Admit,
    Channel,
    Cut,
    Grant,
    Level,
    MessageBody,
    Open,
    Set,
)
from folkmoot.domain.fold import TeamState, fold
from folkmoot.domain.ids import ZERO, ConversationId, EntryId
from folkmoot.domain.team import Act


def crew() -> tuple[bytes, Writer, Writer, bytes]:
    """A team, its owner, a member, and the member's grant."""
    ann, bob = Writer("ann"), Writer("bob")
    team = ann.found().id
    made = ann.write(team, team, invite("i"))
    return team, ann, bob, ann.write(team, team, admit(team, made, "i", bob)).id


def test_the_founder_is_the_owner_and_every_right_is_theirs() -> None:
    ann = Writer("ann")
    team = ann.found("Crew").id
    state = state_of(team, ann)
    assert state.name == "Crew"
    assert state.role_of(ann.person) is Level.OWNER
    assert all(state.grant_for(ann.person, act) == team for act in Act)
    assert state.devices == {ann.device: ann.person}


def test_a_team_whose_genesis_is_not_held_has_no_members() -> None:
    team, ann, bob, _ = crew()
    facts = [fact for fact in facts_of(team, [ann, bob]) if fact.entry_id != team]
    assert fold(ConversationId(team), facts) == TeamState(ConversationId(team))


def test_an_invited_person_becomes_a_member_and_the_use_is_counted() -> None:
    team, ann, bob, grant = crew()
    state = state_of(team, ann, bob)
    assert state.role_of(bob.person) is Level.MEMBER
    assert state.members[bob.person].oldest_grant == grant
    assert [held.used for held in state.invites.values()] == [1]
    assert state.devices[bob.device] == bob.person


def test_a_member_admits_by_the_invitation_of_an_admin() -> None:
    team, ann, bob, grant = crew()
    carl = Writer("carl")
    made = ann.write(team, team, invite("second"))
    bob.write(team, grant, admit(team, made, "second", carl))
    assert state_of(team, ann, bob).role_of(carl.person) is Level.MEMBER


def test_a_channel_made_by_a_member_is_theirs() -> None:
    team, ann, bob, grant = crew()
    channel = bob.write(team, grant, Channel("boats"))
    held = state_of(team, ann, bob).channels[ConversationId(channel.id)]
    assert (held.name, held.creator) == ("boats", bob.person)


def test_the_name_a_person_chose_is_shown_and_else_that_of_the_computer() -> None:
    team, ann, bob, grant = crew()
    assert state_of(team, ann, bob).members[bob.person].name == "bob's computer"
    bob.write(team, grant, Set("profile/name", "Bob"))
    state = state_of(team, ann, bob)
    assert state.members[bob.person].name == "Bob"
    assert state.members[ann.person].name == "ann's computer"


def test_of_the_secrets_a_team_had_the_one_in_force_is_last() -> None:
    team, ann, _, _ = crew()
    first = ann.write(team, team, Set("secret", seed("s1")))
    second = ann.write(team, team, Set("secret", seed("s2"), (first.id,)))
    ann.write(team, team, Set("secret", seed("s3"), (second.id,)))
    secrets = state_of(team, ann).secrets
    assert secrets[-1] == seed("s3")
    assert set(secrets) == {seed("s1"), seed("s2"), seed("s3")}


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "Ours"), ("visible", True), ("secret", seed("x"))],
)
def test_a_setting_of_the_team_by_a_member_has_no_effect(key: str, value: str | bool) -> None:
    team, ann, bob, grant = crew()
    before = state_of(team, ann, bob)
    bob.write(team, grant, Set(key, value))
    after = state_of(team, ann, bob)
    assert (after.name, after.visible, after.secrets) == (
        before.name,
        before.visible,
        before.secrets,
    )


def test_settings_of_the_wrong_shape_have_no_effect() -> None:
    team, ann, _, _ = crew()
    for key, value in (("visible", 1), ("secret", b"short"), ("name", "a\u202eb"), ("name", None)):
        ann.write(team, team, Set(key, value))
    state = state_of(team, ann)
    assert (state.name, state.visible, state.secrets) == ("Crew", False, ())


# --- forgery -----------------------------------------------------------------------------------


def test_a_member_cannot_make_an_admin_nor_even_a_member() -> None:
    team, ann, bob, grant = crew()
    carl = Writer("carl")
    for level in Level:
        bob.write(team, grant, Grant(carl.person, level))
    bob.write(team, grant, Grant(bob.person, Level.ADMIN))
    state = state_of(team, ann, bob)
    assert state.role_of(carl.person) is None
    assert state.role_of(bob.person) is Level.MEMBER


def test_an_admin_makes_members_and_neither_admins_nor_owners() -> None:
    team, ann, bob, _ = crew()
    carl, dora = Writer("carl"), Writer("dora")
    admin = ann.write(team, team, Grant(bob.person, Level.ADMIN)).id
    bob.write(team, admin, Grant(carl.person, Level.OWNER))
    bob.write(team, admin, Grant(carl.person, Level.ADMIN))
    bob.write(team, admin, Grant(dora.person, Level.MEMBER))
    state = state_of(team, ann, bob)
    assert state.role_of(carl.person) is None
    assert state.role_of(dora.person) is Level.MEMBER
    assert state.may_grant(bob.person, Level.MEMBER)
    assert not state.may_grant(bob.person, Level.ADMIN)


def test_a_member_without_leave_to_invite_cannot_invite() -> None:
    team, ann, bob, grant = crew()
    carl = Writer("carl")
    made = bob.write(team, grant, invite("mine"))
    bob.write(team, grant, admit(team, made, "mine", carl))
    ann.write(team, team, admit(team, made, "mine", carl))
    state = state_of(team, ann, bob)
    assert state.role_of(carl.person) is None
    assert made.id not in state.invites


def test_a_guest_who_may_invite_cannot_make_a_member() -> None:
    team, ann, _, _ = crew()
    guest, carl = Writer("guest"), Writer("carl")
    grant = ann.write(team, team, Grant(guest.person, Level.GUEST, may_invite=True)).id
    made = guest.write(team, grant, invite("more", Level.MEMBER))
    ann.write(team, team, admit(team, made, "more", carl))
    state = state_of(team, ann, guest)
    assert state.role_of(carl.person) is None
    assert made.id not in state.invites


def test_a_guest_cannot_admit_and_cannot_open_more_channels_than_their_own() -> None:
    team, ann, _, _ = crew()
    guest, carl, dora = Writer("guest"), Writer("carl"), Writer("dora")
    channel = ann.write(team, team, Channel("a")).id
    other = ann.write(team, team, Channel("b")).id
    grant = ann.write(team, team, Grant(guest.person, Level.GUEST, True, (channel,))).id
    made = guest.write(team, grant, replace(invite("g", Level.GUEST), channels=(channel,)))
    wide = guest.write(team, grant, replace(invite("w", Level.GUEST), channels=(other,)))
    guest.write(team, grant, admit(team, made, "g", dora))
    ann.write(team, team, admit(team, wide, "w", dora))
    assert state_of(team, ann, guest).role_of(dora.person) is None
    ann.write(team, team, admit(team, made, "g", carl))
    assert state_of(team, ann, guest).role_of(carl.person) is Level.GUEST


def test_an_invitation_to_be_admin_has_no_effect() -> None:
    team, ann, _, _ = crew()
    carl = Writer("carl")
    made = ann.write(team, team, invite("high", Level.ADMIN))
    ann.write(team, team, admit(team, made, "high", carl))
    state = state_of(team, ann)
    assert state.role_of(carl.person) is None
    assert made.id not in state.invites


def test_an_invitation_gives_no_more_history_than_the_inviter_has() -> None:
    team, ann, _, _ = crew()
    inviter, carl = Writer("inviter"), Writer("carl")
    terms = Grant(inviter.person, Level.MEMBER, may_invite=True, history=30)
    grant = ann.write(team, team, terms).id
    made = inviter.write(team, grant, invite("all"))
    ann.write(team, team, admit(team, made, "all", carl))
    assert state_of(team, ann, inviter).role_of(carl.person) is None


def test_an_admission_with_a_bad_proof_has_no_effect() -> None:
    team, ann, _, _ = crew()
    carl, eve = Writer("carl"), Writer("eve")
    made = ann.write(team, team, invite("j"))
    good = admit(team, made, "j", carl)
    ann.write(team, team, Admit(made.id, eve.certificate, good.proof))
    ann.write(team, team, Admit(made.id, carl.certificate, bytes(64)))
    ann.write(team, team, admit(seed("other team"), made, "j", carl))
    state = state_of(team, ann)
    assert state.role_of(eve.person) is None
    assert state.role_of(carl.person) is None


def test_an_admission_by_an_unknown_invitation_waits_for_it() -> None:
    team, ann, bob, grant = crew()
    carl = Writer("carl")
    made = ann.write(team, team, invite("k"))
    bob.write(team, grant, admit(team, made, "k", carl))
    facts = facts_of(team, [ann, bob])
    partial = [replace(f, proof_ok=None) for f in facts if f.entry_id != made.id]
    assert fold(ConversationId(team), partial).role_of(carl.person) is None
    assert fold(ConversationId(team), facts).role_of(carl.person) is Level.MEMBER


def test_a_grant_under_an_unknown_grant_is_not_known() -> None:
    team, ann, _, _ = crew()
    eve = Writer("eve")
    made = eve.write(team, seed("nowhere"), Grant(eve.person, Level.OWNER))
    state = state_of(team, ann, eve)
    assert made.id not in state.grants
    assert state.role_of(eve.person) is None


def test_a_grant_cannot_be_used_by_another_person() -> None:
    team, ann, _, _ = crew()
    eve = Writer("eve")
    eve.write(team, team, Grant(eve.person, Level.OWNER))
    state = state_of(team, ann, eve)
    assert state.role_of(eve.person) is None
    assert eve.device not in state.devices


def test_a_log_opened_with_the_certificate_of_another_device_does_not_count() -> None:
    team, ann, _, _ = crew()
    eve = Writer("eve")
    eve.write(team, team, Open(ann.certificate))
    eve.write(team, team, Grant(eve.person, Level.OWNER))
    assert state_of(team, ann, eve).role_of(eve.person) is None


def test_grants_of_grants_of_one_that_does_not_stand_do_not_stand() -> None:
    team, ann, bob, grant = crew()
    writers = [ann, bob]
    for number in range(5):
        deeper = Writer(f"p{number}")
        grant = writers[-1].write(team, grant, Grant(deeper.person, Level.OWNER)).id
        writers.append(deeper)
    state = state_of(team, *writers)
    assert set(state.members) == {ann.person, bob.person}


def test_a_chain_of_a_thousand_owners_is_folded() -> None:
    ann = Writer("ann")
    team = ann.found().id
    grant: bytes = team
    writers = [ann]
    for number in range(1000):
        deeper = Writer(f"p{number}")
        grant = writers[-1].write(team, grant, Grant(deeper.person, Level.OWNER)).id
        writers.append(deeper)
    state = state_of(team, *writers)
    assert len(state.members) == 1001
    assert state.grants[EntryId(grant)].depth == 1000


def test_grants_that_rest_on_each_other_do_not_stand() -> None:
    team, ann, bob, grant = crew()
    bob.write(team, grant, Grant(bob.person, Level.OWNER))
    facts = facts_of(team, [ann, bob])
    made = next(f for f in facts if isinstance(f.body, Grant))
    looped = replace(made, header=replace(made.header, grant=made.entry_id))
    assert fold(ConversationId(team), [*facts, looped]).role_of(bob.person) is Level.MEMBER


def test_a_log_counts_only_up_to_a_gap_or_a_fork() -> None:
    team, ann, _, _ = crew()
    first = ann.write(team, team, Channel("first"))
    ann.write(team, team, Channel("second"))
    facts = facts_of(team, [ann])
    gap = fold(ConversationId(team), [f for f in facts if f.entry_id != first.id])
    assert gap.channels == {}
    twin = next(f for f in facts if f.entry_id == first.id)
    forked = fold(ConversationId(team), [*facts, replace(twin, entry_id=EntryId(seed("twin")))])
    assert forked.channels == {}


def test_kinds_without_effect_change_nothing() -> None:
    team, ann, bob, grant = crew()
    before = state_of(team, ann, bob)
    bob.write(team, grant, MessageBody("a message in the team's own log"))
    assert state_of(team, ann, bob) == before


def test_terms_for_later_versions_have_no_effect() -> None:
    team, ann, bob, grant = crew()
    carl = Writer("carl")
    cut = Cut(bob.device, EntryId(grant), 1, EntryId(ZERO))
    ann.write(team, team, Grant(carl.person, Level.MEMBER, ends=(EntryId(grant),), cuts=(cut,)))
    assert set(state_of(team, ann, bob).members) == {ann.person, bob.person, carl.person}


# --- convergence -------------------------------------------------------------------------------

PEOPLE = 5


@st.composite
def histories(draw: st.DrawFn) -> tuple[bytes, list[Writer]]:
    """A team in which anybody writes anything under any grant, rightly or not."""
    writers = [Writer(f"w{number}") for number in range(PEOPLE)]
    team = writers[0].found().id
    grants: list[bytes] = [team]
    invites: list[tuple[str, bytes]] = []
    for number in range(draw(st.integers(3, 14))):
        writer, whom = draw(st.sampled_from(writers)), draw(st.sampled_from(writers))
        grant = draw(st.sampled_from(grants))
        level = draw(st.sampled_from(Level))
        act = draw(st.integers(0, 4))
        if act == 0:
            grants.append(writer.write(team, grant, Grant(whom.person, level)).id)
        elif act == 1:
            made = writer.write(team, grant, invite(str(number), level, draw(st.booleans())))
            invites.append((str(number), made.id))
        elif act == 2 and invites:
            name, made_id = draw(st.sampled_from(invites))
            made = next(e for w in writers for e in w.entries() if e.id == made_id)
            grants.append(writer.write(team, grant, admit(team, made, name, whom)).id)
        elif act == 3:
            writer.write(team, grant, Channel(f"c{number}"))
        else:
            writer.write(team, grant, Set("secret", seed(number)))
    return team, writers


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_and_duplication_of_entries_folds_to_the_same_state(
    data: st.DataObject,
) -> None:
    team, writers = data.draw(histories())
    facts = facts_of(team, writers)
    expected = fold(ConversationId(team), facts)
    mixed = data.draw(st.permutations(facts + facts[::2]))
    state = fold(ConversationId(team), mixed)
    assert state == expected
    assert repr(state) == repr(expected)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_whoever_stands_above_member_was_made_so_by_an_owner(
    history: tuple[bytes, list[Writer]],
) -> None:
    team, writers = history
    state = state_of(team, *writers)
    by_entry = {entry.id: entry for writer in writers for entry in writer.entries()}
    for grant in state.grants.values():
        if grant.standing and grant.role > Level.MEMBER and grant.id != team:
            giver = state.grants[by_entry[grant.id].header.grant]
            assert giver.standing
            assert giver.role is Level.OWNER
            assert by_entry[grant.id].header.device in {
                w.device for w in writers if w.person == giver.person
            }
