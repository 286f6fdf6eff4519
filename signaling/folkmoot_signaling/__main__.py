"""`python -m folkmoot_signaling` is the command `folkmoot-signaling`."""

from __future__ import annotations

import sys

from folkmoot_signaling.main import main

if __name__ == "__main__":
    sys.exit(main())
