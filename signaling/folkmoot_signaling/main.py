"""The command `folkmoot-signaling`: reads the configuration, runs the server, says what failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from folkmoot.domain.errors import FolkmootError, UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 stopped, 1 failed, 2 wrong arguments."""
    from folkmoot_signaling.config import load_config
    from folkmoot_signaling.log import EventLog

    try:
        config = load_config(argv, os.environ)
        from folkmoot_signaling.operation import check, run

        log = EventLog(os.urandom(16), config.log_level)
        try:
            if config.check:
                check(config)
            else:
                log.install()
                run(config, log)
        finally:
            log.close()
    except FolkmootError as error:
        sys.stderr.write(f"folkmoot-signaling: {error}\n")
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        return 130
    return 0
