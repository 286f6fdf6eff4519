"""What goes into the bundle, and what `strip` may touch."""

from __future__ import annotations

import pytest
import trimming

FFMPEG_OF_QT = "PySide6/Qt/lib/libavcodec.so.61"


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/lib/libQt6WebEngineCore.so.6",
        "PySide6/Qt/lib/libQt6QuickControls2.so.6",
        "PySide6/Qt/qml/QtQuick/qmldir",
        "PySide6/Qt/plugins/sqldrivers/libqsqlite.so",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/translations/qtbase_lg.qm",
        "PySide6/Qt/translations/qt_help_de.qm",
        "numpy/tests/data.npy",
        "aiohttp/_http_parser.pyx",
        "zeroconf-0.154.0.dist-info/METADATA",
    ],
)
def test_what_nothing_uses_stays_out(name: str) -> None:
    assert not trimming.is_kept(name, "DATA", linux=True)
    assert not trimming.is_kept(name, "BINARY", linux=False)


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/Qt/lib/libQt6Qml.so.6",
        "PySide6/Qt/plugins/multimedia/libffmpegmediaplugin.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqoffscreen.so",
        "PySide6/Qt/plugins/imageformats/libqsvg.so",
        "PySide6/Qt/translations/qtbase_de.qm",
        FFMPEG_OF_QT,
        "av.libs/libxcb-5ddf6756.so.1.1.0",
        "livekit/rtc/resources/liblivekit_ffi.so",
        "pyaec/libaec.so",
        "folkmoot/storage/schema/001.sql",
        "folkmoot/_resources/icons/send.svg",
    ],
)
def test_what_the_program_needs_stays(name: str) -> None:
    assert trimming.is_kept(name, "BINARY", linux=True)


def test_libraries_of_the_host_stay_on_the_host() -> None:
    for name in ("libstdc++.so.6", "libglib-2.0.so.0", "libX11.so.6", "libpulse.so.0", "libz.so.1"):
        assert not trimming.is_kept(name, "BINARY", linux=True)
        assert trimming.is_kept(name, "BINARY", linux=False)
    for name in ("libpython3.11.so.1.0", "libssl.so.3", "libsqlite3.so.0", "libxcb-cursor.so.0"):
        assert trimming.is_kept(name, "BINARY", linux=True)
    # A link to a library inside a wheel is no library of the host.
    assert trimming.is_kept("libxcb-5ddf6756.so.1.1.0", "SYMLINK", linux=True)


def test_only_named_libraries_are_stripped() -> None:
    assert trimming.is_stripped("libpython3.11.so.1.0")
    assert trimming.is_stripped("sqlalchemy/engine/_row_cy.cpython-311-x86_64-linux-gnu.so")
    for name in (
        FFMPEG_OF_QT,
        "PySide6/QtCore.abi3.so",
        "av.libs/libavcodec-5e6b81c2.so.62.28.102",
        "numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so",
        "livekit/rtc/resources/liblivekit_ffi.so",
        "av/__init__.py",
    ):
        assert not trimming.is_stripped(name)
