"""What the frozen server runs: the command `folkmoot-signaling`."""

from __future__ import annotations

import os
import sys

import pyimod02_importers  # PyInstaller's own, in the program only

if __name__ == "__main__":
    # Modules are read as they are needed, and an upgrade puts another file in place of this one
    # before it restarts the server: so the file stays open.
    program = os.open(sys.executable, os.O_RDONLY)
    pyimod02_importers.pyz_archive._filename = f"/proc/self/fd/{program}"
    from folkmoot_signaling.main import main

    sys.exit(main())
