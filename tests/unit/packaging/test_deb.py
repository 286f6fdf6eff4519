"""The Debian package of a small bundle: what is in it, what it asks for, the same bytes twice."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from linux import deb, depends, desktop, elf, package, signaling_deb
from linux.depends import Linkage

pytestmark = pytest.mark.needs("dpkg-deb", "objdump")
_COMMIT = 1_790_000_000


@pytest.fixture(autouse=True)
def commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The time of the build; icons are drawn once by Qt elsewhere, and not here."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(_COMMIT))
    monkeypatch.setattr(desktop, "_install_icons", lambda hicolor: None)


def _bundle(folder: Path, name: str = "folkmoot") -> Path:
    """A program of this machine, and the things that a real bundle has beside it."""
    inner = folder / "_internal"
    inner.mkdir(parents=True)
    shutil.copy("/bin/true", folder / name)
    (inner / "libsomething.so.1").write_bytes(b"\x7fELF is how it begins, and no more")
    (inner / "libsomething.so.1").chmod(0o755)
    (inner / "libsomething.so").symlink_to("libsomething.so.1")
    (inner / "copyright").write_text("Format: of Debian\n")
    return folder


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = _bundle(tmp_path / "bundle")
    (made / "_internal/libsomething.so.1").write_bytes(Path("/bin/true").read_bytes())
    monkeypatch.setattr(desktop, "TOP", _top(tmp_path))
    return made


def _top(tmp_path: Path) -> Path:
    """A place to build in that reads the tree."""
    top = tmp_path / "top"
    top.mkdir()
    for name in ("app", "docs", "packaging", "CHANGELOG.md", "resources"):
        (top / name).symlink_to(Path(__file__).parents[3] / name)
    return top


def _said(file: Path, *options: str) -> str:
    return subprocess.run(
        ["dpkg-deb", *options, str(file)], check=True, capture_output=True, text=True
    ).stdout


def test_a_package_says_what_it_is_and_asks_for_what_the_bundle_does_not_carry(
    bundle: Path, tmp_path: Path
) -> None:
    made = deb.make(bundle, tmp_path / "out", "1.2.3", 0)
    assert made.name == f"folkmoot_1.2.3_{package.architecture()}.deb"
    fields = _said(made, "--field")
    assert "Package: folkmoot\nVersion: 1.2.3\n" in fields
    (asked,) = (line for line in fields.splitlines() if line.startswith("Depends: "))
    assert asked.startswith("Depends: libc6 (>= 2.")
    assert "," not in asked
    assert "\n .\n Teams on different networks" in fields
    assert "~/.local/share/folkmoot" in fields


def test_what_is_installed_belongs_to_root_with_plain_modes(bundle: Path, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        made = deb.make(bundle, tmp_path / "out", "1.2.3", 0)
    finally:
        os.umask(old)
    rows = {}
    for line in _said(made, "--contents").splitlines():
        mode, owner, _size, _day, _time, name = line.split(maxsplit=5)
        rows[name] = (mode, owner)
    assert {owner for _, owner in rows.values()} == {"root/root"}
    assert rows["./usr/lib/folkmoot/folkmoot"][0] == "-rwxr-xr-x"
    assert rows["./usr/lib/folkmoot/_internal/libsomething.so.1"][0] == "-rw-r--r--"
    assert rows["./usr/lib/folkmoot/_internal/"][0] == "drwxr-xr-x"
    assert "./usr/bin/folkmoot -> ../lib/folkmoot/folkmoot" in rows
    for name in (
        "applications/org.folkmoot.Folkmoot.desktop",
        "metainfo/org.folkmoot.Folkmoot.metainfo.xml",
        "man/man1/folkmoot.1.gz",
        "doc/folkmoot/copyright",
        "doc/folkmoot/changelog.gz",
        "doc/folkmoot/README.Debian",
    ):
        assert rows[f"./usr/share/{name}"][0] == "-rw-r--r--"


def test_every_file_is_in_the_sums_and_the_size_is_counted(bundle: Path, tmp_path: Path) -> None:
    made = deb.make(bundle, tmp_path / "out", "1.2.3", 0)
    place = tmp_path / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", str(made), str(place)], check=True)
    sums = (place / "DEBIAN/md5sums").read_text().splitlines()
    files = [p for p in place.rglob("*") if p.is_file() and not p.is_symlink()]
    assert len(sums) == len([p for p in files if "DEBIAN" not in p.parts])
    subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=place, check=True)
    (size,) = _said(made, "--field").split("Installed-Size: ")[1].split("\n", 1)[:1]
    true = Path("/bin/true").stat().st_size
    assert int(size) > 2 * true // 1024
    assert int(size) < 2 * true // 1024 + 200
    log = gzip.decompress((place / "usr/share/doc/folkmoot/changelog.gz").read_bytes()).decode()
    assert log.startswith("folkmoot (1.2.3) unstable; urgency=medium\n\n  * ")
    assert "\n -- Folkmoot developers <" in log


@pytest.mark.parametrize("which", ["folkmoot", "folkmoot-signaling"])
def test_two_builds_have_the_same_bytes(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    builder = deb if which == "folkmoot" else signaling_deb
    bundle = _bundle_named(bundle, which)
    first = builder.make(bundle, tmp_path / "one", "1.2.3").read_bytes()
    other = tmp_path / "elsewhere"
    # Made in another order, at another time, by somebody with another umask.
    old = os.umask(0o027)
    try:
        other.mkdir()
        for path in sorted(bundle.rglob("*"), reverse=True):
            target = other / path.relative_to(bundle)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                target.symlink_to(path.readlink())
            elif path.is_file():
                shutil.copyfile(path, target)
                target.chmod(path.stat().st_mode & 0o750)
                os.utime(target, (1, 1))
        second = builder.make(other, tmp_path / "two", "1.2.3").read_bytes()
    finally:
        os.umask(old)
    assert first == second


def _bundle_named(bundle: Path, name: str) -> Path:
    if name != "folkmoot":
        (bundle / "folkmoot").rename(bundle / name)
    return bundle


def test_a_package_that_is_too_large_is_none(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deb, "MOST_BYTES", 10_000)
    with pytest.raises(SystemExit, match="0 MB is the most"):
        deb.make(bundle, tmp_path / "out", "1.2.3")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bundle_that_does_not_say_whose_work_it_is_is_refused(
    bundle: Path, tmp_path: Path
) -> None:
    (bundle / "_internal/copyright").unlink()
    with pytest.raises(SystemExit, match="whose work"):
        deb.make(bundle, tmp_path / "out", "1.2.3", 0)


# --- what it depends on

_DUMP = """
/b/_internal/libQt6Gui.so.6:     file format elf64-x86-64

Dynamic Section:
  NEEDED               libEGL.so.1
  NEEDED               libown.so.2
  SONAME               libQt6Gui.so.6

Version References:
  required from libc.so.6:
    0x09691a75 0x00 10 GLIBC_2.2.5
    0x06969194 0x00 03 GLIBC_2.34
  required from libstdc++.so.6:
    0x0297f869 0x00 12 GLIBCXX_3.4.29
    0x056bafd3 0x00 12 CXXABI_1.3
"""


def test_what_files_ask_for_and_carry_is_read() -> None:
    linkage = Linkage()
    depends.take(_DUMP, linkage)
    linkage.carried.add("libown.so.2")
    assert linkage.missing() == {"libEGL.so.1": "/b/_internal/libQt6Gui.so.6"}
    assert (linkage.least("GLIBC"), linkage.least("GLIBCXX")) == ("2.34", "3.4.29")
    assert linkage.least("OPENSSL") == ""


@pytest.mark.parametrize(
    ("package_name", "said"),
    [
        ("libc6", "libc6 (>= 2.34)"),
        ("libstdc++6", "libstdc++6 (>= 11)"),
        ("libglib2.0-0", "libglib2.0-0t64 | libglib2.0-0"),
        ("libglib2.0-0t64", "libglib2.0-0t64 | libglib2.0-0"),
        ("libx11-6", "libx11-6"),
    ],
)
def test_an_entry_holds_in_debian_12_and_after_it(package_name: str, said: str) -> None:
    linkage = Linkage()
    depends.take(_DUMP, linkage)
    assert depends.entry(package_name, linkage) == said


def test_of_several_packages_the_one_counts_that_has_it_where_the_linker_looks() -> None:
    found = [
        "some-program: /usr/lib/some-program/libEGL.so.1",
        "libegl1:i386: /usr/lib/i386-linux-gnu/libEGL.so.1",
        "libegl1:amd64: /usr/lib/x86_64-linux-gnu/libEGL.so.1",
    ]
    assert depends.choose(found, "libEGL.so.1", "amd64") == "libegl1"
    assert depends.choose(found[:2], "libEGL.so.1", "amd64") is None


def test_a_library_that_no_package_has_is_named_with_who_wants_it() -> None:
    linkage = Linkage(needed={"libnobody.so.7": "/b/plugin.so", "libc.so.6": "/b/x"})
    with pytest.raises(SystemExit, match=r"libnobody\.so\.7, wanted by /b/plugin\.so"):
        depends.depends(linkage)


# --- search paths


@pytest.mark.needs("cc")
@pytest.mark.parametrize(
    ("path", "left"),
    [("/root/python/lib", ""), ("$ORIGIN/../lib", "$ORIGIN/../lib"), ("$ORIGIN:/opt/x", "")],
)
def test_folders_of_the_machine_that_built_are_forgotten(
    tmp_path: Path, path: str, left: str
) -> None:
    source, file = tmp_path / "x.c", tmp_path / "x"
    source.write_text("int main(void) { return 7; }")
    subprocess.run(["cc", "-o", file, source, f"-Wl,-rpath,{path}"], check=True)
    assert elf.forget_foreign_paths(file) == (not left)
    dump = subprocess.run(["objdump", "-p", file], check=True, capture_output=True, text=True)
    assert (f"RUNPATH              {left}\n" in dump.stdout) == bool(left)
    assert ("RUNPATH" in dump.stdout) == bool(left)
    assert "libc.so.6" in dump.stdout
    assert subprocess.run([file], check=False).returncode == 7
    assert not elf.forget_foreign_paths(file)


# --- the server


def test_the_package_of_the_server_has_a_unit_with_its_own_places(
    bundle: Path, tmp_path: Path
) -> None:
    made = signaling_deb.make(_bundle_named(bundle, "folkmoot-signaling"), tmp_path / "o", "1.2.3")
    place = tmp_path / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", str(made), str(place)], check=True)
    unit = (place / "usr/lib/systemd/system/folkmoot-signaling.service").read_text()
    assert "/opt/" not in unit
    assert "/etc/folkmoot/" not in unit
    assert "PYTHONPATH" not in unit
    settings = "/etc/folkmoot-signaling/signaling.toml"
    assert f"ExecStart=/usr/bin/folkmoot-signaling --config {settings}\n" in unit
    assert "\nLoadCredential=jwt-secret:/etc/folkmoot-signaling/jwt-secret\n" in unit
    assert "\n# LoadCredential=turn-secret:/etc/folkmoot-signaling/turn-secret\n" in unit
    assert (place / "DEBIAN/conffiles").read_text() == f"{settings}\n"
    assert (place / settings.lstrip("/")).read_text().count("/usr/share/doc/") == 1
    for script in ("postinst", "prerm", "postrm"):
        assert (place / "DEBIAN" / script).stat().st_mode & 0o777 == 0o755
    linked = place / "usr/bin/folkmoot-signaling"
    assert linked.resolve() == place / "usr/lib/folkmoot-signaling/folkmoot-signaling"


def test_a_version_without_a_day_is_dated_by_the_build() -> None:
    built = datetime.fromtimestamp(_COMMIT, UTC)
    assert desktop.source_date() == built
    assert f'date="{built:%Y-%m-%d}" type="development"' in desktop.metainfo(built)
