"""`python -m e2e.relay_only …` is `folkmoot …`, but its links find no way through NAT.

So they go through servers, while the media of calls finds its way as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.main import main
from folkmoot.net import ice
from folkmoot.services.signaling_port import IceAttempt


async def _none(_self: ice.IceWays, _stun: Sequence[str], *, began: bool) -> IceAttempt:
    raise EnvironmentFault("no_direct_way", "This node is told to find none.")


if __name__ == "__main__":
    ice.IceWays.gather = _none  # type: ignore[method-assign,assignment]
    sys.exit(main())
