"""The table of sizes, its limits, and what is asked of the system."""

from __future__ import annotations

from pathlib import Path

import pytest
import sizes

MB = sizes.MB


def _file(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_a_file_counts_for_its_component_and_a_link_for_none(tmp_path: Path) -> None:
    _file(tmp_path / "_internal/av.libs/libvpx-1.so", 3 * MB)
    _file(tmp_path / "_internal/PySide6/Qt/lib/libQt6Core.so.6", 2 * MB)
    _file(tmp_path / "_internal/PySide6/Qt/lib/libavcodec.so.61", MB)
    (tmp_path / "_internal/libvpx-1.so").symlink_to("av.libs/libvpx-1.so")
    assert sizes.measure(tmp_path) == {
        "calls: PyAV's FFmpeg and codecs": 3 * MB,
        "Qt: Core, Gui, Widgets and others": 2 * MB,
        "Qt: Multimedia and its FFmpeg": MB,
    }


def test_what_nobody_looked_at_fails(tmp_path: Path) -> None:
    _file(tmp_path / "_internal/av.libs/libvpx-1.so", MB)
    assert sizes.faults(sizes.measure(tmp_path)) == []
    _file(tmp_path / "_internal/surprise/one.more", 1)
    assert "no component" in sizes.faults(sizes.measure(tmp_path))[0]


def test_a_bundle_that_is_too_large_fails() -> None:
    assert sizes.faults({"numpy": 320 * MB}) == []
    assert "more than 320" in sizes.faults({"numpy": 320 * MB, "Qt: ICU": MB})[0]


def test_the_table_has_the_largest_first_and_the_total() -> None:
    lines = sizes.table({"numpy": 2 * MB, "Qt: ICU": 30 * MB}).splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines[1:]] == ["Qt: ICU", "numpy", "total"]
    assert lines[-1].split()[0] == "32.0"


def test_modules_are_counted_by_package() -> None:
    counted = sizes.by_module({"folkmoot.ui": MB, "asyncio.base": 5, "idna": 7, "jwt.api": 8})
    assert counted == {
        "program: modules of ours": MB,
        "program: modules of standard library": 5,
        "program: modules of small libraries": 15,
    }


def test_the_highest_version_and_who_asks_for_it() -> None:
    asked = [("a.so", "GLIBC_2.9"), ("b.so", "GLIBC_2.35"), ("c.so", "GLIBC_2.35")]
    asked += [("d.so", "GLIBCXX_3.4.29"), ("e.so", "GLIBC_2.4")]
    assert str(sizes.highest(asked, "GLIBC")) == "GLIBC 2.35, by b.so, c.so"
    assert sizes.highest([], "GLIBC") is None


@pytest.mark.needs("objdump")
def test_a_program_of_this_system_asks_for_its_library(tmp_path: Path) -> None:
    (tmp_path / "cat").write_bytes(Path("/bin/cat").read_bytes())
    (tmp_path / "text").write_text("no program")
    found = sizes.highest(sizes.asked_versions(tmp_path), "GLIBC")
    assert found is not None
    assert found.files == ("cat",)
    assert found.version >= (2, 2, 5)
