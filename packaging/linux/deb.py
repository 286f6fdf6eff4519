"""`make deb`: dist/folkmoot_VERSION_ARCHITECTURE.deb from the bundle in dist/folkmoot.

    python -m linux.deb [--bundle DIR] [--out DIR] [--version VERSION] [--level N]

The bundle goes to /usr/lib/folkmoot as it is, with a link from /usr/bin; `linux.desktop` brings the
rest. `Depends` is what its ELF files ask for and do not carry, so a package that is missing there
is a fault of `linux.depends`, and one that is written here by hand is none of a library.
"""

from __future__ import annotations

import argparse
import shutil
from datetime import datetime
from pathlib import Path

from linux import depends, desktop
from linux.history import MAINTAINER, debian_changelog, read_releases
from linux.package import LEVEL, Control, build, copy_bundle, copyright_of, put

MOST_BYTES = 95_000_000
LIBRARY = "usr/lib/folkmoot"
DOC = "usr/share/doc/folkmoot"
RECOMMENDS = (
    # The authorities that servers of teams are checked against.
    "ca-certificates",
    # These follow the files of the package: a link is opened by Folkmoot, the icon is shown.
    "desktop-file-utils",
    "hicolor-icon-theme",
    # Letters that the bundled fonts do not have.
    "fonts-noto-core | fonts-dejavu-core",
    # Screens of a Wayland desktop are shared over these two.
    "xdg-desktop-portal",
    "libpipewire-0.3-0t64 | libpipewire-0.3-0",
    # Sound.
    "pipewire-pulse | pulseaudio",
    # Opens links of messages in the browser.
    "xdg-utils",
)
SUGGESTS = ("fonts-noto-cjk",)
DESCRIPTION = """
team chat and calls from computer to computer, without a server

Channels, threads, voice and video calls, shared screens and recordings
for teams. It needs no server and no account: teams on the same network
that chose to be seen are there as soon as it is opened. Messages and
calls go straight from one computer to the other, encrypted, and every
member's computer keeps the whole history and passes it on.

Teams on different networks meet over a small server that anybody can
host; it is in the package folkmoot-signaling.

What a person writes is in ~/.local/share/folkmoot. Neither an update nor
the removal of this package touches it.
"""
POSTRM = """#!/bin/sh
set -e
if [ "$1" = remove ]; then
	echo "Folkmoot is removed. Messages and keys stay with each person, in ~/.local/share/folkmoot;"
	echo "whoever wants them gone deletes that folder."
fi
"""
README = """Folkmoot in Debian and Ubuntu
=============================

Where things are: the program, with the libraries that it brings, in
/usr/lib/folkmoot; what a person writes in ~/.local/share/folkmoot
(XDG_DATA_HOME counts). The package never touches the latter, neither
when it is updated nor when it is removed or purged. Delete the folder by
hand if it is to go; on other computers of the team its messages stay.

An update while Folkmoot runs: it goes on, says that it was updated and
offers to restart. Messages come and go meanwhile, a call that runs goes
on, and a new one says so if it needs the restart.

Links: folkmoot:// addresses are opened by this program as soon as
desktop-file-utils, which is recommended, is installed.
"""


def stage(root: Path, bundle: Path, version: str, built: datetime) -> None:
    """Put everything below `root` that the package will install."""
    copy_bundle(bundle, root / LIBRARY)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/folkmoot").symlink_to("../lib/folkmoot/folkmoot")
    desktop.install(root / "usr", built)
    releases = read_releases(desktop.changelog(), built)
    log = debian_changelog("folkmoot", releases, version)
    put(root, f"{DOC}/changelog.gz", desktop.zip_text(log))
    put(root, f"{DOC}/README.Debian", README)
    put(root, f"{DOC}/copyright", copyright_of(bundle))
    overrides = (desktop.HERE / "folkmoot.lintian-overrides").read_text(encoding="utf-8")
    put(root, "usr/share/lintian/overrides/folkmoot", overrides)


def make(bundle: Path, out: Path, version: str, level: int = LEVEL) -> Path:
    """Build the package in the folder `out`; its file is given back."""
    built = desktop.source_date()
    root = desktop.TOP / "build/deb/folkmoot"
    shutil.rmtree(root, ignore_errors=True)
    stage(root, bundle, version, built)
    linkage = depends.read_linkage(root / LIBRARY)
    print(f"The bundle asks for glibc {linkage.least('GLIBC') or 'nothing'}.")
    control = Control(
        package="folkmoot",
        version=version,
        section="net",
        maintainer=MAINTAINER,
        description=DESCRIPTION,
        depends=tuple(depends.depends(linkage)),
        recommends=RECOMMENDS,
        suggests=SUGGESTS,
    )
    # One that was made in a hurry is larger than what is given to people.
    most = MOST_BYTES if level == LEVEL else None
    scripts = {"postrm": POSTRM}
    return build(root, control, out, built, scripts=scripts, most_bytes=most, level=level)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Make the Debian package of Folkmoot.")
    parser.add_argument("--bundle", type=Path, default=desktop.TOP / "dist/folkmoot")
    parser.add_argument("--out", type=Path, default=desktop.TOP / "dist")
    parser.add_argument("--version", default=desktop.version(), help="another version, for tests")
    parser.add_argument("--level", type=int, default=LEVEL, help="of xz; tests are in a hurry")
    options = parser.parse_args()
    make(options.bundle, options.out, options.version, options.level)


if __name__ == "__main__":
    main()
