"""`folkmoot doctor`: the report of the connection doctor, as text or JSON.

The program that runs on the profile is asked if there is one; it goes on undisturbed. Else a node
is started for the length of the check.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from folkmoot.bootstrap.ending import leave
from folkmoot.bootstrap.running import Options, build, run_loop
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.doctor_text import doctor_text, without_names
from folkmoot.services.values import DoctorReport, LinkState
from folkmoot.system.asking import ask
from folkmoot.system.instance import NODE, Instance, ProfileInUse
from folkmoot.system.logs import LogFile
from folkmoot.system.profile import Profile, existing_profile

if TYPE_CHECKING:
    from folkmoot.services.node import Node

NOT_EVERYBODY = 1
"""Exit status where somebody is not reached."""
FIRST_LINKS_S = 5.0
"""So long a fresh node may take to be seen and to link, before ways are tried on purpose."""
ASK_AGAIN_S, ASK_FOR_S = 0.3, 6.0
"""A program that is just starting does not answer yet."""


def run_doctor(profile: Path | None, *, as_json: bool, wait: bool, names: bool) -> int:
    """Print the report; 0 if everybody is reached, else 1. `wait`: try every way before.

    `names`: with the names of persons and computers. Raises `EnvironmentFault`.
    """
    os.umask(0o077)
    opened = existing_profile(profile)
    try:
        instance = Instance(opened, NODE)
    except ProfileInUse as in_use:
        report = run_loop(_ask(opened, wait, in_use))
    else:
        log = LogFile(opened.log)
        try:
            report = run_loop(_examine(opened))
        finally:
            log.close()
            instance.release()
    _say(report if names else without_names(report), as_json)
    linked = all(peer.state is LinkState.LINKED for peer in report.peers)
    return leave(0 if linked else NOT_EVERYBODY)


async def _ask(profile: Profile, wait: bool, in_use: ProfileInUse) -> DoctorReport:
    """The report of the program that runs."""
    question = "doctor check" if wait else "doctor"
    until = asyncio.get_running_loop().time() + ASK_FOR_S
    while (answer := await ask(profile, question)) is None:
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(ASK_AGAIN_S)
    if answer is None:
        raise EnvironmentFault(
            "no_answer",
            f"{in_use.message} It does not answer.",
            "Open the connection report in its window, or close it and try again.",
        )
    return msgspec.json.decode(answer, type=DoctorReport)


async def _examine(profile: Profile) -> DoctorReport:
    """The report of a node that runs only for it."""
    running = await build(profile, Options(media=("none", "none", "none")))
    try:
        await _let_links_come(running.node)
        return await running.node.doctor.check()
    finally:
        await running.aclose()


async def _let_links_come(node: Node) -> None:
    until = asyncio.get_running_loop().time() + FIRST_LINKS_S
    while asyncio.get_running_loop().time() < until:
        if all(peer.state is LinkState.LINKED for peer in node.peers.list()):
            return
        await asyncio.sleep(0.1)


def _say(report: DoctorReport, as_json: bool) -> None:
    if not as_json:
        sys.stdout.write(doctor_text(report, names=True))
        return
    from folkmoot.api.doctor_routes import doctor_shape

    shape = msgspec.json.encode(doctor_shape(report))
    sys.stdout.write(msgspec.json.format(shape, indent=2).decode() + "\n")
