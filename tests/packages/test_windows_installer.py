"""The installer for Windows under Wine: with small bundles, for the program itself is not for Wine.

Wine is not Windows: these tests show what the script does, not that Windows agrees.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packages.wine import SYSTEM, Wine, display

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Folkmoot"
LINK = "folkmoot://join?text=a%20b&more=%C3%BC"
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.needs("makensis", "wine", "Xvfb", "xwininfo"),
]

Installers = Callable[[str, str, Path], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Installers:
    """Makes an installer: version, a file that only this version has, the program in it."""
    folder = tmp_path_factory.mktemp("installers")

    def make(version: str, only: str, program: Path) -> Path:
        out = folder / f"{version}-{program.stem}.exe"
        if out.exists():
            return out
        bundle = folder / out.stem
        (bundle / "_internal/a folder").mkdir(parents=True)
        shutil.copy(program, bundle / "folkmoot.exe")
        (bundle / "_internal/a folder/$name ü.txt").write_text(version)
        (bundle / "_internal" / only).write_text(only)
        command = [sys.executable, str(ROOT / "packaging/windows/make_installer.py")]
        command += ["--bundle", str(bundle), "--out", str(out), "--version", version]
        subprocess.run([*command, "--target", "amd64-unicode"], check=True, timeout=120)
        return out

    return make


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that writes down how it was started."""
    out = tmp_path_factory.mktemp("recorder") / "recorder.exe"
    command = ["makensis", "-V2", "-WX", f"-DOUT={out}", str(HERE / "recorder.nsi")]
    subprocess.run(command, check=True, timeout=60)
    return out


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """A Windows for all tests of this module: each of them leaves it empty."""
    with display() as name:
        wine = Wine(tmp_path_factory.mktemp("wine") / "prefix", name)
        yield wine
        wine.end()


@pytest.fixture
def wine(machine: Wine) -> Iterator[Wine]:
    """A Windows in which Folkmoot is not installed, and on which it leaves nothing afterwards."""
    yield machine
    machine.end()
    if (uninstaller := installed(machine) / "uninstall.exe").exists():
        machine.run(uninstaller, "/S")
    machine.settle()
    shutil.rmtree(installed(machine), ignore_errors=True)


def installed(wine: Wine) -> Path:
    return wine.local / "Programs/Folkmoot"


def tree(folder: Path) -> dict[str, bytes]:
    """What is in the files below `folder`; what Wine itself keeps there is left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "Temp" not in path.relative_to(folder).parts
    }


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


def count_windows(wine: Wine) -> int:
    """How many windows of the notepad are on the screen."""
    command = ["xwininfo", "-root", "-tree"]
    told = subprocess.run(command, env=wine.environment, capture_output=True, check=True)
    return told.stdout.count(b"- Notepad")


def said(folder: Path) -> list[str]:
    """How the recorder in `folder` was started."""
    return [line.strip() for line in (folder / "said.txt").read_text().splitlines()]


def windows(path: Path) -> str:
    """The path as Windows says it."""
    return "C:" + str(path).partition("drive_c")[2].replace("/", "\\")


def test_it_installs_what_the_bundle_holds_and_takes_it_away(wine: Wine, made: Installers) -> None:
    before = tree(wine.home)
    setup = made("1.0.0", "old.txt", SYSTEM / "notepad.exe")

    assert wine.run(setup, "/S") == 0
    wine.settle()

    there = tree(installed(wine))
    assert there.pop("uninstall.exe")
    assert there == tree(setup.with_suffix(""))
    place = windows(installed(wine))
    assert wine.value(UNINSTALL, "DisplayVersion") == "1.0.0"
    assert wine.value(UNINSTALL, "UninstallString") == f'"{place}\\uninstall.exe"'
    assert wine.value(r"Software\Classes\folkmoot", "URL Protocol") == ""
    command = wine.value(r"Software\Classes\folkmoot\shell\open\command")
    assert command == f'"{place}\\folkmoot.exe" "%1"'
    menu = wine.home / "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Folkmoot.lnk"
    assert menu.exists()

    profile = wine.local / "folkmoot/identity"
    profile.parent.mkdir()
    profile.write_text("mine")
    assert wine.run(installed(wine) / "uninstall.exe", "/S") == 0
    wine.settle()

    assert tree(wine.home) == before | {str(profile.relative_to(wine.home)): b"mine"}
    assert not installed(wine).exists()
    for key in (UNINSTALL, r"Software\Folkmoot"):
        assert wine.value(key, "InstallDir") is None
        assert wine.value(key, "DisplayName") is None
    assert wine.value(r"Software\Classes\folkmoot", "URL Protocol") is None
    shutil.rmtree(profile.parent)


def test_a_file_of_somebody_else_stays(wine: Wine, made: Installers) -> None:
    assert wine.run(made("1.0.0", "old.txt", SYSTEM / "notepad.exe"), "/S") == 0
    mine = installed(wine) / "_internal/mine.txt"
    mine.write_text("mine")

    assert wine.run(installed(wine) / "uninstall.exe", "/S") == 0
    wine.settle()

    assert tree(installed(wine)) == {"_internal/mine.txt": b"mine"}


def test_a_new_version_closes_the_window_and_takes_the_place(wine: Wine, made: Installers) -> None:
    assert wine.run(made("1.0.0", "old.txt", SYSTEM / "notepad.exe"), "/S") == 0
    program = installed(wine) / "folkmoot.exe"
    other = wine.start("notepad")  # the same program, in another folder: none of ours
    wait_for(lambda: count_windows(wine) == 1)
    running = wine.start(program)
    wait_for(lambda: count_windows(wine) == 2)

    assert wine.run(made("1.1.0", "new.txt", SYSTEM / "notepad.exe"), "/S") == 0

    assert running.wait(30) == 0
    assert other.poll() is None
    assert (installed(wine) / "_internal/new.txt").exists()
    assert not (installed(wine) / "_internal/old.txt").exists()
    wine.end()
    other.communicate(timeout=30)
    assert wine.value(UNINSTALL, "DisplayVersion") == "1.1.0"


def test_what_does_not_close_is_left_as_it_is(wine: Wine, made: Installers) -> None:
    assert wine.run(made("1.0.0", "old.txt", SYSTEM / "cmd.exe"), "/S") == 0
    program = installed(wine) / "folkmoot.exe"
    running = wine.start(program, "/k")  # no window: nothing that could be closed
    assert running.stdout is not None
    assert running.stdout.readline()  # it says which Windows it is for
    before = tree(installed(wine))

    assert wine.run(made("1.1.0", "new.txt", SYSTEM / "cmd.exe"), "/S") == 2
    assert wine.run(installed(wine) / "uninstall.exe", "/S", f"_?={windows(installed(wine))}") == 2

    assert running.poll() is None
    assert tree(installed(wine)) == before
    running.communicate(b"exit\r\n", timeout=30)
    assert wine.value(UNINSTALL, "DisplayVersion") == "1.0.0"


def test_a_link_starts_the_program_with_it(wine: Wine, made: Installers, recorder: Path) -> None:
    assert wine.run(made("1.0.0", "old.txt", recorder), "/S") == 0

    # This Wine looks up links only among those of the whole machine, Windows also in the account.
    wine.run("reg", "export", r"HKCU\Software\Classes\folkmoot", "C:\\links.reg")
    links = wine.drive / "links.reg"
    words = links.read_text("utf-16")
    links.write_text(words.replace("CURRENT_USER", "LOCAL_MACHINE"), "utf-16")
    wine.run("reg", "import", "C:\\links.reg")
    wine.run("rundll32", "url.dll,FileProtocolHandler", LINK)
    wait_for((installed(wine) / "said.txt").exists)
    wine.settle()

    assert said(installed(wine)) == [f'"{windows(installed(wine))}\\folkmoot.exe" "{LINK}"']


def test_the_firewall_is_asked_only_on_request_and_the_rule_goes_with_the_program(
    wine: Wine, made: Installers, recorder: Path
) -> None:
    system = wine.drive / "windows/system32"
    (system / "netsh.exe").unlink()
    shutil.copy(recorder, system / "netsh.exe")
    setup = made("1.0.0", "old.txt", SYSTEM / "notepad.exe")
    rule = f'name="Folkmoot" dir=in program="{windows(installed(wine))}\\folkmoot.exe"'

    assert wine.run(setup, "/S") == 0
    assert wine.run(installed(wine) / "uninstall.exe", "/S") == 0
    wine.settle()
    assert not (system / "said.txt").exists()

    assert wine.run(setup, "/S", "/FIREWALL") == 0
    wine.settle()
    deleted, added = said(system)
    assert deleted.endswith(f" advfirewall firewall delete rule {rule}")
    assert added.endswith(
        f" advfirewall firewall add rule {rule} action=allow profile=private,domain"
    )
    assert wine.value(r"Software\Folkmoot", "Firewall") == 1

    assert wine.run(installed(wine) / "uninstall.exe", "/S") == 0
    wine.settle()
    assert said(system)[2:] == [deleted]
    assert wine.value(r"Software\Folkmoot", "Firewall") is None
