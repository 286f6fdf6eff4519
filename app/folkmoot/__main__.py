"""`python -m folkmoot` is the command `folkmoot`."""

from __future__ import annotations

import sys

from folkmoot.main import main

if __name__ == "__main__":
    sys.exit(main())
