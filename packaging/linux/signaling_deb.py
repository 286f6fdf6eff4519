"""`make signaling-deb`: the Debian package of the server, from dist/folkmoot-signaling.

    python -m linux.signaling_deb [--bundle DIR] [--out DIR] [--version VERSION]

A frozen server rather than Debian's Python with packages for it: compiled packages are made for one
Python, and Debian 12 and 13 have different ones. The service is enabled and started at once, as
Debian does it: with the settings as they come it listens on this machine alone.
"""

from __future__ import annotations

import argparse
import shutil
from datetime import datetime
from pathlib import Path

from linux import depends, desktop
from linux.history import MAINTAINER, debian_changelog, read_releases
from linux.package import Control, build, copy_bundle, copyright_of, put

NAME = "folkmoot-signaling"
DOC = f"usr/share/doc/{NAME}"
SETTINGS = f"etc/{NAME}/signaling.toml"
SHIPPED = desktop.TOP / "packaging/signaling"
SCRIPTS = SHIPPED / "debian"
DESCRIPTION = """
server that introduces Folkmoot computers on different networks

On one network Folkmoot needs no server. For teams whose computers are on
different networks this one introduces them, hands frames on where no
direct way exists, and keeps sealed envelopes for persons who are offline.
It can read nothing of what it hands on.

It answers STUN, hands out credentials for coturn, has health, metrics,
limits and a log that names nobody, and runs as a user that owns nothing.
Several nodes behind one name meet in Redis.
"""
_PLACES = (
    # From a clone in /opt to the places of the package.
    ("Documentation=file:/opt/folkmoot/docs/HOSTING.md", f"Documentation=man:{NAME}(1)"),
    (
        "ExecStart=/opt/folkmoot/.venv-signaling/bin/python -m folkmoot_signaling --config "
        "/etc/folkmoot/signaling.toml",
        f"ExecStart=/usr/bin/{NAME} --config /{SETTINGS}",
    ),
    ("WorkingDirectory=/opt/folkmoot\n", ""),
    ("Environment=PYTHONPATH=app:signaling\n", ""),
    ("Environment=PYTHONDONTWRITEBYTECODE=1\n", ""),
    # The package makes this secret.
    ("# LoadCredential=jwt-secret", "LoadCredential=jwt-secret"),
    ("# Environment=FOLKMOOT_JWT", "Environment=FOLKMOOT_JWT"),
    ("# systemd unit of the signaling server. docs/HOSTING.md says how to install it.\n", ""),
)


def unit() -> str:
    """The unit of a clone with the places of the package."""
    text = (SHIPPED / f"{NAME}.service").read_text(encoding="utf-8")
    for before, after in _PLACES:
        if before not in text:
            raise SystemExit(f"The unit of the server no longer says “{before.strip()}”.")
        text = text.replace(before, after)
    return text.replace("/etc/folkmoot/", f"/etc/{NAME}/").replace(
        "files in /etc/folkmoot come", f"files in /etc/{NAME} come"
    )


def stage(root: Path, bundle: Path, version: str, built: datetime) -> None:
    """Put everything below `root` that the package will install."""
    copy_bundle(bundle, root / f"usr/lib/{NAME}")
    (root / "usr/bin").mkdir(parents=True)
    (root / f"usr/bin/{NAME}").symlink_to(f"../lib/{NAME}/{NAME}")
    settings = (SHIPPED / "signaling.toml").read_text(encoding="utf-8")
    examples = f"/{DOC}/examples/"
    put(root, SETTINGS, settings.replace("packaging/signaling/", examples), mode=0o644)
    put(root, f"usr/lib/systemd/system/{NAME}.service", unit())
    for name in ("Caddyfile", "turnserver.conf"):
        put(root, f"{DOC}/examples/{name}", (SHIPPED / name).read_bytes())
    put(root, f"{DOC}/HOSTING.md", (desktop.TOP / "docs/HOSTING.md").read_bytes())
    page = (SHIPPED / f"{NAME}.1").read_text(encoding="utf-8")
    put(root, f"usr/share/man/man1/{NAME}.1.gz", desktop.zip_text(page))
    releases = read_releases(desktop.changelog(), built)
    put(root, f"{DOC}/changelog.gz", desktop.zip_text(debian_changelog(NAME, releases, version)))
    put(root, f"{DOC}/copyright", copyright_of(bundle))
    overrides = (SCRIPTS / f"{NAME}.lintian-overrides").read_bytes()
    put(root, f"usr/share/lintian/overrides/{NAME}", overrides)


def make(bundle: Path, out: Path, version: str) -> Path:
    """Build the package in the folder `out`; its file is given back."""
    built = desktop.source_date()
    root = desktop.TOP / f"build/deb/{NAME}"
    shutil.rmtree(root, ignore_errors=True)
    stage(root, bundle, version, built)
    control = Control(
        package=NAME,
        version=version,
        section="net",
        maintainer=MAINTAINER,
        description=DESCRIPTION,
        depends=tuple(depends.depends(depends.read_linkage(root / f"usr/lib/{NAME}"))),
        recommends=("ca-certificates",),
        suggests=("caddy | nginx", "coturn", "redis-server"),
    )
    scripts = {
        name: (SCRIPTS / name).read_text(encoding="utf-8")
        for name in ("postinst", "prerm", "postrm")
    }
    return build(root, control, out, built, scripts=scripts, conffiles=(SETTINGS,))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Make the Debian package of the server.")
    parser.add_argument("--bundle", type=Path, default=desktop.TOP / f"dist/{NAME}")
    parser.add_argument("--out", type=Path, default=desktop.TOP / "dist")
    parser.add_argument("--version", default=desktop.version(), help="another version, for tests")
    options = parser.parse_args()
    make(options.bundle, options.out, options.version)


if __name__ == "__main__":
    main()
