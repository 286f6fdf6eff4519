"""An admin installs the package on a clean system, somebody uses it, an admin removes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from smoke import allowed_lines, foreign_lines

from e2e.people import HEIGHT, NEEDS, WIDTH
from packages.debian import USER, Chroot
from packages.installed import (
    PROFILE,
    PROGRAM,
    InstalledNode,
    ask,
    desk_variables,
    installed_desk,
    screen,
)

pytestmark = [pytest.mark.needs("netns", "debootstrap", *NEEDS), pytest.mark.timeout(1500)]
CAPABILITIES = {
    *("qt_platform", "svg", "image_formats", "media_player", "sound", "codecs", "loopback_call"),
    *("full_text", "tls_proofs", "mdns", "resources", "translations"),
}


def test_the_self_test_is_all_ok_with_what_the_package_declares(system: Chroot) -> None:
    with screen(system) as desk:
        done = ask(system, "--selftest", environ=desk_variables(desk))
    told = json.loads(done.stdout)
    assert [one for one in told["checks"] if not one["ok"]] == []
    assert (done.returncode, told["ok"], told["frozen"]) == (0, True, True)
    assert {one["name"] for one in told["checks"]} >= CAPABILITIES
    assert foreign_lines(done.stderr, allowed_lines()) == []


def test_the_self_test_says_what_is_missing(system: Chroot) -> None:
    """Without a library that only sound needs it is not all ok: the test above can fail."""
    system.admin("dpkg", "--purge", "--force-depends", "libpulse0")
    with screen(system) as desk:
        done = ask(system, "--selftest", environ=desk_variables(desk))
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    assert "sound" in {one["name"] for one in told["checks"] if not one["ok"]}


def test_the_window_opens_and_closes_and_says_nothing(system: Chroot, tmp_path: Path) -> None:
    with installed_desk(tmp_path, system) as desk:
        window = desk.show(system)
        window.find("Your name", "text")
        window.find("Start a team", "push button")
        desk.picture("start")
        pixels = desk.pixels(0, 0, WIDTH, HEIGHT)
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
        assert window.close() == 0
        assert foreign_lines(window.errors(), allowed_lines()) == []


def test_without_a_display_it_says_so(system: Chroot) -> None:
    done = ask(system)
    assert done.returncode == 1
    assert "display" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_desktop_knows_the_program_and_its_links(system: Chroot) -> None:
    entry = system.inside("/usr/share/applications/org.folkmoot.Folkmoot.desktop").read_text()
    assert "x-scheme-handler/folkmoot" in entry
    command = re.search(r"(?m)^Exec=(\S+)", entry)
    assert command is not None
    assert system.admin("sh", "-c", f"command -v {command[1]}").strip() == PROGRAM
    icon = re.search(r"(?m)^Icon=(\S+)", entry)
    assert icon is not None
    assert list(system.inside("/usr/share/icons/hicolor").glob(f"*/apps/{icon[1]}.*"))


def test_a_removal_leaves_nothing_but_the_profile_and_says_where_it_is(
    make_system: Callable[..., Chroot], base: Path, installed: tuple[Path, ...]
) -> None:
    before = make_system(base).files()
    system = make_system(*installed)
    node = InstalledNode(system, "Elin", "--listen", "127.0.0.1:0", "--no-discovery")
    node.start()
    node.post("/teams", name="Harbour Studio")
    node.stop()
    home = f"/home/{USER}"
    said = system.admin("apt-get", "-y", "purge", "--auto-remove", "folkmoot")
    assert str(PROFILE).replace(home, "~") in said
    left = system.changes_since(before)
    ours = {path for path in left if path == home or path.startswith(f"{home}/.")}
    assert left - ours == set()
    assert {path for path in ours if path in before} <= {home}
    assert f"{PROFILE}/store.sqlite3" in ours
    assert f"{PROFILE}/identity" in ours
    parents = {str(parent) for parent in PROFILE.parents}
    assert {path for path in ours - parents if not f"{path}/".startswith(f"{PROFILE}/")} == set()
