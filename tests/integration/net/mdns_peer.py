"""A process that is found by mDNS: listens, announces, connects to whom it sees.

Prints one line of JSON for itself and for each other: `{"connected": instance, "address": …}` or
`{"gone": instance}`. Ends, with a goodbye, when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.net.discovery import MdnsDiscovery
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Sighting, Stream


class Chance:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        """Fresh bytes."""
        return os.urandom(count)

    def uniform(self, low: float, high: float) -> float:
        """The middle."""
        return (low + high) / 2


def say(**what: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Run until the standard input ends."""
    transport = TlsTransport()
    found: asyncio.Queue[Sighting] = asyncio.Queue()

    async def accept(stream: Stream) -> None:
        stream.open_up()

    bound = await transport.listen(["0.0.0.0:0", "[::]:0"], accept)
    discovery = MdnsDiscovery(Chance())
    await discovery.start(int(bound[0].rpartition(":")[2]), lambda _: [], found.put_nowait)

    async def connect() -> None:
        known: set[str] = set()
        while True:
            sighting = await found.get()
            if sighting.gone:
                say(gone=sighting.instance)
            elif sighting.instance not in known:
                for address in sighting.addresses:
                    try:
                        await transport.dial(address, 2)
                    except EnvironmentFault:
                        continue
                    known.add(sighting.instance)
                    say(connected=sighting.instance, address=address)
                    break

    connecting = asyncio.create_task(connect())
    await asyncio.to_thread(sys.stdin.read)
    connecting.cancel()
    await discovery.aclose()
    await transport.aclose()


if __name__ == "__main__":
    asyncio.run(main())
