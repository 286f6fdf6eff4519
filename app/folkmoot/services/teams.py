"""Teams: founding, naming, who is in them, and the invitations made here.

Owns the seeds of the invitations that this installation made: they stay in its local settings, and
a link is made of them whenever it is shown. Joining and admitting are `services.joining`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from folkmoot.domain.bodies import Body, Channel, Level, Set, SetValue
from folkmoot.domain.bodies import Invite as InviteBody
from folkmoot.domain.errors import UserError
from folkmoot.domain.fold import (
    KEY_NAME,
    KEY_PROFILE_NAME,
    KEY_SECRET,
    KEY_VISIBLE,
    SECRET_BYTES,
)
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.domain.names import clean_name
from folkmoot.domain.team import Act, InviteState, TeamState
from folkmoot.protocol.invites import InviteLink, write_link
from folkmoot.protocol.keys import SEED_BYTES, Signer
from folkmoot.services.identity import IdentityService
from folkmoot.services.own_log import OwnLog, by
from folkmoot.services.ports import Clock, Randomness, Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.values import Invite, Member, Role, Team

FIRST_CHANNEL = "general"
MAX_EXPIRES_S = 366 * 24 * 3600
MAX_USES = 10_000
_SEED_SETTING = "invite."


class TeamsService:
    """What a person does with teams."""

    def __init__(
        self,
        identity: IdentityService,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        registry: TeamRegistry,
        own_log: OwnLog,
        addresses: Callable[[], Awaitable[list[str]]],
    ) -> None:
        """`addresses` says where this node can be reached now; it goes into invitations."""
        self._identity = identity
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._registry = registry
        self._own_log = own_log
        self._addresses = addresses

    @property
    def _me(self) -> PersonId:
        return self._identity.person

    async def create(self, name: str, visible: bool = True) -> Team:
        """Found a team with a channel #general. Raises `UserError` ``bad_text``."""
        team = await self._own_log.found(
            clean_name(name, "team name"),
            Set(KEY_SECRET, self._randomness.bytes(SECRET_BYTES)),
            Set(KEY_VISIBLE, visible),
            Set(KEY_PROFILE_NAME, self._identity.name),
            Channel(FIRST_CHANNEL),
        )
        return self.get(team)

    def get(self, team: ConversationId) -> Team:
        """One team; raises `UserError` ``not_found``."""
        found = self._registry.shown(team)
        if found is None:
            raise UserError("not_found", "There is no such team.")
        return found

    def members(self, team: ConversationId) -> list[Member]:
        """Who is in a team, by name."""
        return self._registry.members(self._state(team))

    async def rename(self, team: ConversationId, name: str) -> Team:
        """Give a team another name; an admin may."""
        name = clean_name(name, "team name")
        if self._state(team).name != name:
            await self._set(team, KEY_NAME, name)
        return self.get(team)

    async def set_visible(self, team: ConversationId, on: bool) -> Team:
        """Whether computers on this network see the team's name and may ask to join."""
        if self._state(team).visible != on:
            await self._set(team, KEY_VISIBLE, on)
        return self.get(team)

    async def invite(
        self,
        team: ConversationId,
        role: Role = Role.MEMBER,
        expires_s: int | None = None,
        uses: int | None = None,
    ) -> Invite:
        """Make an invitation as member or guest; its link is the secret to hand over."""
        self._state(team)
        if role not in (Role.MEMBER, Role.GUEST):
            raise UserError(
                "forbidden", "An invitation is for a member or a guest.", "Raise the role later."
            )
        expires_ms = self._expiry(expires_s)
        if uses is not None and not 1 <= uses <= MAX_USES:
            raise UserError("bad_uses", f"An invitation has 1 to {MAX_USES} uses.")
        seed = self._randomness.bytes(SEED_BYTES)
        body = InviteBody(
            public_key=Signer(seed).public,
            role=Level[role.name],
            may_invite=False,
            expires_ms=expires_ms,
            uses=uses or 0,
        )
        written = await self._own_log.append(team, body, right=by(Act.INVITE))
        id = written.entries[0].id
        await self._store.set_setting(_SEED_SETTING + id.hex(), seed.hex())
        state = self._state(team)
        return self._shown(state, state.invites[id], seed, await self._addresses())

    async def invites(self, team: ConversationId) -> list[Invite]:
        """Invitations that can still be used; those made elsewhere have no link here."""
        state = self._state(team)
        seeds = await self._store.settings(_SEED_SETTING)
        now_ms = self._clock.wall_ms()
        open_ones = [
            invite
            for invite in state.invites.values()
            if (not invite.expires_ms or invite.expires_ms > now_ms)
            and (not invite.uses or invite.used < invite.uses)
        ]
        addresses = await self._addresses()
        return [
            self._shown(
                state,
                invite,
                bytes.fromhex(seeds.get(_SEED_SETTING + invite.id.hex(), "")),
                addresses,
            )
            for invite in open_ones
        ]

    async def joined(self, team: ConversationId) -> None:
        """This person was admitted: open the own log there and tell the own name.

        Called by joining when the grant has arrived; again is harmless.
        """
        await self._identity.tell_name(team)

    def _expiry(self, expires_s: int | None) -> int:
        if expires_s is None:
            return 0
        if not 1 <= expires_s <= MAX_EXPIRES_S:
            raise UserError("bad_expiry", "An invitation lasts between a second and a year.")
        return self._clock.wall_ms() + expires_s * 1000

    def _shown(
        self, state: TeamState, invite: InviteState, seed: bytes, addresses: list[str]
    ) -> Invite:
        link = ""
        if seed:
            where = tuple(addresses)
            link = write_link(InviteLink(state.id, invite.id, seed, state.name, where))
        return Invite(
            id=invite.id,
            team=state.id,
            link=link,
            role=Role[invite.role.name],
            expires_at_ms=invite.expires_ms or None,
            uses_left=max(0, invite.uses - invite.used) if invite.uses else None,
        )

    def _state(self, team: ConversationId) -> TeamState:
        state = self._registry.team(team)
        if state is None or state.role_of(self._me) is None:
            raise UserError("not_found", "There is no such team.")
        return state

    async def _set(self, team: ConversationId, key: str, value: SetValue) -> None:
        async def over_heads() -> tuple[Body, ...]:
            heads: list[EntryId] = await self._store.set_heads(team, self._me, key)
            return (Set(key, value, tuple(heads)),)

        await self._own_log.amend(team, over_heads, right=by(Act.MANAGE_TEAM))

    def list(self) -> list[Team]:
        """Every team of this person, by name."""
        return [self.get(state.id) for state in self._registry.teams()]
