"""Which adapter shows the screen."""

from __future__ import annotations

import pytest

from folkmoot.media.capture.backend import choose


@pytest.mark.parametrize(
    ("environ", "system", "chosen"),
    [
        ({"DISPLAY": ":0"}, "linux", "x11"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"}, "linux", "x11"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux", "portal"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "linux", "portal"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w", "QT_QPA_PLATFORM": "xcb"}, "linux", "portal"),
        ({"DISPLAY": ":9", "QT_QPA_PLATFORM": "offscreen"}, "linux", "x11"),
        ({}, "linux", ""),
        ({}, "win32", "qt"),
        ({}, "darwin", "qt"),
    ],
)
def test_the_adapter_goes_by_what_runs_the_desktop(
    environ: dict[str, str], system: str, chosen: str
) -> None:
    assert choose(environ, system) == chosen
