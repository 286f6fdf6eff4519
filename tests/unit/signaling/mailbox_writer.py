"""Puts and takes letters in a mailbox file without end and tells what it was promised."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling import mailbox_file
from folkmoot_signaling.mailbox import MailLimits
from folkmoot_signaling.mailbox_file import FileMailbox

A, B = (DeviceId(bytes([n]) * 32) for n in (1, 2))


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> None:
    mailbox_file.MAX_DEAD_BYTES = 100_000  # type: ignore[misc]  # it is written anew often
    mailbox = await FileMailbox.open(Path(sys.argv[1]), MailLimits(), lambda: 1_000_000.0)
    for n in range(1, 10**6):
        id = n.to_bytes(16, "big")
        receipt = await mailbox.put(B, A, "x", id, id * 500, 3600)
        assert receipt.kept_s == 3600, receipt
        tell(f"kept {n}")
        if n > 20:
            # Told before: what was not taken after all may be there, what was said must be.
            tell(f"taken {n - 20}")
            await mailbox.taken(B, [(n - 20).to_bytes(16, "big")])


asyncio.run(main())
