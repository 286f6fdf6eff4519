"""A call on a computer that has no network at all: it still reaches itself."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

_SCRIPT = textwrap.dedent("""
    import asyncio
    from folkmoot.media.launcher import ProcessLauncher
    from folkmoot.services.media_port import *

    async def main():
        ends, flowing = {}, asyncio.Queue()
        def taker(me, other):
            def take(report):
                if isinstance(report, Described):
                    description = (me, report.connection, report.kind, report.sdp)
                    ends[other].send(Describe(*description))
                elif isinstance(report, PathChanged) and report.state == "flowing":
                    flowing.put_nowait(me)
            return take
        for me, other in ((b"a", b"b"), (b"b", b"a")):
            ends[me] = await ProcessLauncher(False).launch(
                Begin(VERSION, False), taker(me, other), lambda reason: None)
            ends[me].send(SetAudio(AudioPlan(source="test", open=True)))
        ends[b"b"].send(Connect(b"a", 1, False))
        ends[b"a"].send(Connect(b"b", 1, True))
        async with asyncio.timeout(40):
            print(sorted([await flowing.get(), await flowing.get()]))
        for end in ends.values():
            await end.aclose()

    asyncio.run(main())
""")


_START = 'ip link set lo up; exec "$0" -c "$1"'


@pytest.mark.needs("netns")
def test_a_call_works_where_loopback_is_the_only_way() -> None:
    run = subprocess.run(
        ["unshare", "--net", "sh", "-c", _START, sys.executable, _SCRIPT],
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert run.stdout.decode().strip() == "[b'a', b'b']", run.stderr.decode()
