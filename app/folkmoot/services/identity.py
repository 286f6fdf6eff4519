"""Who this node is: the person's name, the computer's name, the words of the person key.

Refuses to rename the computer once its certificate stands in a log: others have it by then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from folkmoot.domain.bodies import Body, Set
from folkmoot.domain.errors import UserError
from folkmoot.domain.fold import KEY_PROFILE_NAME
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.domain.names import clean_name
from folkmoot.domain.team import Act
from folkmoot.services.events import EventBus, IdentityChanged
from folkmoot.services.keyring import Keyring
from folkmoot.services.own_log import OwnLog, by
from folkmoot.services.ports import Clock, Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.values import Identity

NAME_SETTING = "identity.name"
"""The local setting with the name that the person chose."""


class IdentityService:
    """This person on this computer."""

    def __init__(
        self,
        keyring: Keyring,
        words: tuple[str, ...],
        version: str,
        proposed_name: str,
        save: Callable[[Keyring], Awaitable[None]],
        store: Store,
        clock: Clock,
        events: EventBus,
        registry: TeamRegistry,
    ) -> None:
        """`save` writes a keyring to its files."""
        self._keyring = keyring
        self._words = words
        self._version = version
        self._name = proposed_name
        self._named = False
        self._save = save
        self._store = store
        self._clock = clock
        self._events = events
        self._registry = registry
        self._own_log: OwnLog | None = None

    async def load(self) -> None:
        """Take up the name that was chosen before."""
        kept = await self._store.setting(NAME_SETTING)
        self._name, self._named = kept or self._name, kept is not None

    def attach(self, own_log: OwnLog) -> None:
        """Give the log in which names are told."""
        self._own_log = own_log

    @property
    def keyring(self) -> Keyring:
        """The keys, with the certificate in force."""
        return self._keyring

    @property
    def person(self) -> PersonId:
        """This person."""
        return self._keyring.person

    @property
    def device(self) -> DeviceId:
        """This computer."""
        return self._keyring.device

    @property
    def name(self) -> str:
        """The name this person goes by."""
        return self._name

    @property
    def named(self) -> bool:
        """Whether the person chose that name; else it was proposed by the computer."""
        return self._named

    def me(self) -> Identity:
        """Who this node is."""
        keyring = self._keyring
        return Identity(
            keyring.person,
            keyring.device,
            self._name,
            keyring.certificate.name,
            self._words,
            self._version,
        )

    async def rename(self, name: str, device_name: str | None = None) -> Identity:
        """Go by another name in every team; the computer's name can change until the first team.

        Raises `UserError` ``bad_text``, ``device_name_fixed``.
        """
        name = clean_name(name, "name")
        if device_name is not None:
            await self._rename_device(clean_name(device_name, "computer's name"))
        await self._store.set_setting(NAME_SETTING, name)
        self._name, self._named = name, True
        for state in self._registry.teams():
            await self.tell_name(state.id)
        identity = self.me()
        self._events.publish(IdentityChanged(identity))
        return identity

    async def _rename_device(self, device_name: str) -> None:
        if device_name == self._keyring.certificate.name:
            return
        if self._registry.teams():
            raise UserError(
                "device_name_fixed",
                "The computer's name cannot change any more: your teams know it already.",
                "Your own name can.",
            )
        keyring = self._keyring.named(device_name, self._clock)
        await self._save(keyring)
        self._keyring = keyring

    async def tell_name(self, team: ConversationId) -> None:
        """Say in a team what this person is called, if it is not known there yet."""
        own_log = self._own_log
        assert own_log is not None, "attach comes first"

        async def unless_known() -> tuple[Body, ...]:
            state = self._registry.team(team)
            member = None if state is None else state.members.get(self.person)
            heads = await self._store.set_heads(team, self.person, KEY_PROFILE_NAME)
            if heads and member is not None and member.name == self._name:
                return ()
            return (Set(KEY_PROFILE_NAME, self._name, tuple(heads)),)

        await own_log.amend(team, unless_known, right=by(Act.SET_PROFILE))
