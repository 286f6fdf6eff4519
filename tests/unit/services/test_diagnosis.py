"""Each cause of a way that fails is told from the facts, with something a person can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from folkmoot.services.diagnosis import Facts, diagnose


def tcp(code: str, **more: object) -> Facts:
    """A way by address in our own network, unless told otherwise."""
    return Facts(**{"way": "remembered", "code": code, "near": True, "over": "cable", **more})  # type: ignore[arg-type]


TABLE: list[tuple[Facts, str, str]] = [
    (tcp("ok"), "", "answers"),
    # Nobody is there.
    (tcp("no_answer"), "offline", "asleep"),
    (tcp("refused"), "offline", "does not run there"),
    (tcp("no_answer", near=None), "offline", "asleep"),
    (tcp("no_answer", near=False, local=False), "offline", "asleep"),
    (tcp("refused", own=True), "offline", "this computer itself"),
    (tcp("no_answer", own=True, lonely=True), "offline", "this computer itself"),
    # Firewall: it is there, and the port is shut.
    (tcp("refused", seen=True), "firewall", "lets nobody in"),
    (tcp("no_answer", answers=True), "firewall", "lets nobody in"),
    (tcp("no_answer", seen=True, others=True), "firewall", "lets nobody in"),
    (tcp("no_answer", near=False, answers=True), "firewall", "lets nobody in"),
    # Guest isolation: its record comes, but nothing that is sent to it alone.
    (tcp("no_answer", seen=True), "isolation", "seen on this network"),
    (tcp("no_route", seen=True), "isolation", "seen on this network"),
    (tcp("no_answer", seen=True, near=None), "isolation", "seen on this network"),
    # Another network.
    (tcp("no_answer", near=False), "subnet", "another network"),
    (tcp("no_answer", near=False, seen=True), "subnet", "another network"),
    (tcp("no_route", near=False, local=False, over=""), "subnet", "another network"),
    # VPN.
    (tcp("no_answer", near=False, over="vpn"), "vpn", "VPN"),
    (tcp("no_answer", over="vpn", seen=True), "vpn", "VPN"),
    (tcp("no_answer", near=False, over="vpn", local=False), "offline", "asleep"),
    # No network at all.
    (tcp("no_route", lonely=True, near=False), "no_network", "on no network"),
    (tcp("no_answer", lonely=True, near=False), "no_network", "on no network"),
    # Somebody else is there.
    (tcp("own_address"), "moved", "this computer now"),
    (tcp("other_device"), "moved", "Another computer"),
    (tcp("unknown_key"), "key", "key of your team"),
    (tcp("bad_version"), "version", "too old or too new"),
    (tcp("not_folkmoot"), "program", "Another program"),
    (tcp("silent"), "program", "says nothing"),
    (tcp("broke"), "program", "closes it at once"),
    (tcp("name_unknown", near=None), "name", "No computer of this name"),
    # By mDNS.
    (Facts("mdns", "not_seen"), "", "No record"),
    (Facts("mdns", "not_seen", discovery="off"), "", "turned off"),
    (Facts("mdns", "not_seen", discovery="failed"), "", "cannot be looked for"),
    (Facts("remembered", "never_seen"), "unseen", "No address"),
    # With servers.
    (Facts("relay", "no_server"), "", "no server that both use"),
    (Facts("relay", "server_away"), "", "not reached from here"),
    (Facts("relay", "not_there"), "offline", "not at the server"),
    (Facts("nat", "no_direct_way"), "nat", "straight through both routers"),
    (Facts("relay", "bad_certificate"), "certificate", "not valid"),
    (Facts("relay", "bad_certificate", clock_off=True), "clock", "date of this computer"),
    (Facts("relay", "clock"), "clock", "date of this computer"),
]


@pytest.mark.parametrize(
    ("facts", "cause", "words"),
    TABLE,
    ids=[f"{row[0].code}-{row[1]}-{n}" for n, row in enumerate(TABLE)],
)
def test_the_facts_tell_the_cause(facts: Facts, cause: str, words: str) -> None:
    found = diagnose(facts)
    assert found.cause == cause
    assert words in found.answer


@pytest.mark.parametrize("row", TABLE, ids=[f"{row[0].code}-{n}" for n, row in enumerate(TABLE)])
def test_every_cause_comes_with_something_to_do(row: tuple[Facts, str, str]) -> None:
    found = diagnose(row[0])
    assert bool(found.advice) or not found.cause


def test_advice_against_isolation_says_whom_to_ask() -> None:
    advice = diagnose(tcp("no_answer", seen=True)).advice
    assert "Ask who runs this network whether devices may talk to each other" in advice
    assert "guest networks often forbid it" in advice


@pytest.mark.parametrize("facts", [tcp("no_answer", near=False), tcp("no_answer", seen=True)])
def test_who_has_a_server_is_not_told_to_use_one(facts: Facts) -> None:
    assert "signaling server" in diagnose(facts).advice
    assert "signaling server" not in diagnose(replace(facts, served=True)).advice


def test_a_code_that_is_not_known_here_is_taken_for_silence() -> None:
    assert diagnose(tcp("something_new")).cause == "offline"
