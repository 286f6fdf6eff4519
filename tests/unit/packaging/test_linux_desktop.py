"""What a Linux desktop, `man` and Debian read of Folkmoot: they take it, and it is true."""

from __future__ import annotations

import argparse
import os
import re
import struct
import subprocess
import sys
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from linux import desktop, history

from folkmoot import __version__
from folkmoot.build import APP_ID
from folkmoot.main import _parser as program_parser
from folkmoot_signaling.config import ENVIRONMENT
from folkmoot_signaling.config import _parser as server_parser

_TOP = Path(__file__).parents[3]
_LINUX = _TOP / "packaging/linux"
_SIGNALING = _TOP / "packaging/signaling"
_DAY = datetime(2026, 11, 26, tzinfo=UTC)
_PAGES = [_LINUX / "folkmoot.1", _SIGNALING / "folkmoot-signaling.1"]


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """Every option of it and of its commands, but for those that only the program itself starts."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                if name not in ("media", "selfcheck"):
                    found |= {name, *_options(inner)}
    return found


def _documented(page: Path) -> set[str]:
    """Options and commands that the text of a page names."""
    text = page.read_text()
    found = {f"-{name}" for name in re.findall(r"\bFl ([\w-]+)", text)}
    return found | set(re.findall(r"^\.Cm (\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("page", "parser"), [(_PAGES[0], program_parser([])), (_PAGES[1], server_parser())]
)
def test_every_option_is_in_the_man_page(page: Path, parser: argparse.ArgumentParser) -> None:
    options = _options(parser)
    assert len(options) > 8
    assert options <= _documented(page)


def test_every_option_of_the_man_pages_exists() -> None:
    for page, parser in zip(_PAGES, [program_parser([]), server_parser()], strict=True):
        known = _options(parser) | {"none"}
        assert {each for each in _documented(page) if each.startswith("--")} <= known


def test_the_page_of_the_server_names_the_variables() -> None:
    text = _PAGES[1].read_text()
    assert set(re.findall(r"Ev (FOLKMOOT_\w+)", text)) == set(ENVIRONMENT)


@pytest.mark.needs("mandoc")
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_a_man_page_has_no_fault(page: Path) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_desktop_file_opens_links_in_the_window_that_it_names() -> None:
    file = ConfigParser(interpolation=None)
    file.optionxform = str  # type: ignore[assignment,method-assign]
    file.read(_LINUX / f"{APP_ID}.desktop")
    entry = file["Desktop Entry"]
    assert entry["Exec"] == "folkmoot %u"
    assert entry["MimeType"] == "x-scheme-handler/folkmoot;"
    assert entry["Icon"] == APP_ID
    source = (_TOP / "app/folkmoot/ui/app.py").read_text()
    # X11 calls a window as the program is called, Wayland as the desktop file is.
    assert f'Application(["{entry["StartupWMClass"]}"])' in source
    assert f'setDesktopFileName("{APP_ID}")' in source


@pytest.mark.needs("desktop-file-validate")
def test_the_desktop_file_is_valid() -> None:
    file = _LINUX / f"{APP_ID}.desktop"
    done = subprocess.run(
        ["desktop-file-validate", file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.needs("appstreamcli")
def test_the_metainfo_is_valid(tmp_path: Path) -> None:
    file = tmp_path / f"{APP_ID}.metainfo.xml"
    file.write_text(desktop.metainfo(_DAY))
    done = subprocess.run(
        ["appstreamcli", "validate", "--no-net", "--pedantic", "--no-color", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    # The name is that of the program everywhere; and AppStream 0.16 does not know `developer` yet.
    told = {line.split()[2] for line in done.stdout.splitlines() if re.match("[EWIP]: ", line)}
    assert told <= {"cid-contains-uppercase-letter", "unknown-tag"}


def test_the_metainfo_has_the_releases_of_the_change_log() -> None:
    root = ElementTree.fromstring(desktop.metainfo(_DAY))
    releases = root.findall("releases/release")
    assert releases[0].get("version") == __version__
    assert len(releases[0].findall("description/ul/li")) > 10
    assert root.findtext("id") == APP_ID
    assert root.findtext("launchable") == f"{APP_ID}.desktop"


def test_a_change_log_is_read_by_version_day_and_point() -> None:
    text = "# Changes\n\n## 1.1.0, not released yet\n\nNew.\n\n- `One` thing,\n  at *length*.\n\n"
    text += "## 1.0.0, 2026-01-02\n\n- A [page](docs/A.md) & more.\n"
    newest, first = history.read_releases(text, _DAY)
    assert (newest.version, newest.released, newest.date) == ("1.1.0", False, _DAY)
    assert (first.version, first.released) == ("1.0.0", True)
    assert first.date == datetime(2026, 1, 2, tzinfo=UTC)
    log = history.debian_changelog("folkmoot", [newest, first], "1.1.0+x")
    assert log.startswith(
        "folkmoot (1.1.0+x) unstable; urgency=medium\n\n  * One thing, at length.\n\n -- "
    )
    assert "  Fri, 02 Jan 2026 00:00:00 +0000\n" in log
    assert "<li>A page &amp; more.</li>" in history.metainfo_releases([first])
    with pytest.raises(ValueError, match="names no version"):
        history.read_releases("# Changes\n", _DAY)


@pytest.mark.needs("dpkg-parsechangelog")
def test_debian_reads_the_change_log(tmp_path: Path) -> None:
    log = tmp_path / "changelog"
    releases = history.read_releases(desktop.changelog(), _DAY)
    log.write_text(history.debian_changelog("folkmoot", releases, __version__))
    done = subprocess.run(
        ["dpkg-parsechangelog", "-l", log, "-S", "Version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (__version__, "")


@pytest.fixture(scope="module")
def icons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The icons, drawn by a process of its own as the build does it."""
    folder = tmp_path_factory.mktemp("icons")
    maker = _TOP / "packaging/icons/make_icons.py"
    subprocess.run([sys.executable, maker, folder], check=True, env={**os.environ})
    return folder


def test_the_icons_have_their_sizes_and_are_no_empty_squares(icons: Path) -> None:
    from PySide6.QtGui import QImage

    for size in desktop.HICOLOR_SIZES:
        image = QImage(str(icons / f"folkmoot-{size}.png"))
        assert (image.width(), image.height()) == (size, size)
        colours = {image.pixelColor(x, size // 2).name() for x in range(size)}
        assert {"#ffffff"} < colours
        assert image.pixelColor(0, 0).alpha() < 128


def test_the_icon_of_windows_holds_six_sizes(icons: Path) -> None:
    data = (icons / "folkmoot.ico").read_bytes()
    assert struct.unpack_from("<HHH", data) == (0, 1, 6)
    sides = []
    for number in range(6):
        row = struct.unpack_from("<BBBBHHII", data, 6 + 16 * number)
        sides.append(row[0] or 256)
        length, offset = row[6:]
        part = data[offset : offset + length]
        assert len(part) == length
        if sides[-1] < 256:
            assert struct.unpack_from("<Iii", part) == (40, sides[-1], 2 * sides[-1])
        else:
            assert part.startswith(b"\x89PNG")
    assert sides == [16, 24, 32, 48, 64, 256]


def test_the_icon_of_macos_holds_what_it_says(icons: Path) -> None:
    data = (icons / "folkmoot.icns").read_bytes()
    assert data[:4] == b"icns"
    assert struct.unpack_from(">I", data, 4) == (len(data),)
    at, kinds = 8, []
    while at < len(data):
        kinds.append(data[at : at + 4].decode())
        at += struct.unpack_from(">I", data, at + 4)[0]
    assert at == len(data)
    assert kinds == ["ic04", "ic05", "ic07", "ic08", "ic09", "ic10", "ic11", "ic12", "ic13", "ic14"]
