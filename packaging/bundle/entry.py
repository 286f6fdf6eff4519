"""What the frozen program runs first: puts the environment right, then is the command `folkmoot`.

The boot loader and PyInstaller's hook for Qt point the environment at our own libraries. Ours are
found without that, and what we start (a browser, a file manager) must load its own, not ours.
"""

from __future__ import annotations

import os
import sys


def put_right(environment: dict[str, str] | os._Environ[str]) -> None:
    """Take out of `environment` what was put in for this process alone; children begin anew.

    The dynamic loader and Qt's search for plug-ins have done with it: the first read it when the
    process began, the second finds its folder by the place of the Qt libraries.
    """
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    if sys.platform not in ("win32", "darwin"):
        environment.pop("LD_LIBRARY_PATH", None)
        if before:
            environment["LD_LIBRARY_PATH"] = before
    for name in ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH"):
        environment.pop(name, None)
    # Without the search path that was just taken out a process of calls, which is this program
    # again, finds our libraries only if the boot loader does its work there as well.
    environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"


def hold_program(program: str) -> None:
    """Keep the file open from which modules are read: an upgrade puts another one in its place.

    The reader opens it anew for each module, by its name. Where a descriptor has no name, as on
    Windows, the file of a program that runs cannot be replaced.
    """
    if os.path.isdir("/proc/self/fd"):
        import pyimod02_importers  # PyInstaller's own, in the program only

        descriptor = os.open(program, os.O_RDONLY)
        pyimod02_importers.pyz_archive._filename = f"/proc/self/fd/{descriptor}"


if __name__ == "__main__":
    put_right(os.environ)
    hold_program(sys.executable)
    from folkmoot.main import main

    sys.exit(main())
