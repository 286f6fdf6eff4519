"""Whether a window can be shown, before Qt is asked."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from folkmoot.system.display import find_display_fault


def test_nothing_set_is_no_display() -> None:
    fault = find_display_fault({}, "linux")
    assert fault is not None
    assert fault.code == "no_display"
    assert "xvfb-run" in fault.hint


@pytest.mark.parametrize(
    "environ",
    [
        {"DISPLAY": ":9399"},
        {"DISPLAY": "nonsense"},
        {"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/nonexistent"},
        {"DISPLAY": ":9399", "QT_QPA_PLATFORM": "xcb"},
    ],
)
def test_a_display_that_does_not_answer_is_named(environ: dict[str, str]) -> None:
    fault = find_display_fault(environ, "linux")
    assert fault is not None
    assert "does not answer" in fault.message


def test_a_wayland_socket_that_answers_will_do(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "wayland-1"))
        server.listen()
        environ = {"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": str(tmp_path)}
        assert find_display_fault(environ, "linux") is None


def test_an_x11_display_over_tcp_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if port < 6000 or port - 6000 > 9999:
            server_2 = _listen_in_the_range_of_x11()
            port = server_2.getsockname()[1]
        else:
            server_2 = server
        try:
            assert find_display_fault({"DISPLAY": f"127.0.0.1:{port - 6000}.0"}, "linux") is None
        finally:
            server_2.close()


def _listen_in_the_range_of_x11() -> socket.socket:
    for port in range(6100, 6200):
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            continue
    raise AssertionError("no free port between 6100 and 6200")


def test_a_platform_without_a_display_needs_none() -> None:
    assert find_display_fault({"QT_QPA_PLATFORM": "offscreen"}, "linux") is None
    assert find_display_fault({"QT_QPA_PLATFORM": "vnc:size=800x600"}, "linux") is None
    assert find_display_fault({}, "win32") is None
    assert find_display_fault({}, "darwin") is None
