"""What kind of network an interface is, by what the system says of it or by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.net import interfaces
from folkmoot.net.interfaces import SystemSurveyor, kind_by_name, kind_by_words

SYSTEM = [
    ("eth0", {"type": "1", "uevent": "INTERFACE=eth0", "device/x": ""}, "cable"),
    ("wlan0", {"type": "1", "uevent": "DEVTYPE=wlan", "device/x": ""}, "wireless"),
    ("wlp3s0", {"type": "1", "phy80211/x": "", "device/x": ""}, "wireless"),
    ("wg0", {"type": "65534", "uevent": "DEVTYPE=wireguard"}, "vpn"),
    ("tun0", {"type": "65534", "tun_flags": "0x1001"}, "vpn"),
    ("office", {"type": "1", "tun_flags": "0x1001"}, "vpn"),
    ("ppp0", {"type": "512"}, "vpn"),
    ("tap0", {"type": "1", "tun_flags": "0x1002"}, "virtual"),
    ("docker0", {"type": "1", "uevent": "DEVTYPE=bridge"}, "virtual"),
    ("veth12", {"type": "1"}, "virtual"),
    ("tailscale0", {"type": "1"}, "vpn"),
    ("lo", {"type": "772"}, "loopback"),
]


@pytest.mark.parametrize(("name", "files", "kind"), SYSTEM, ids=[row[0] for row in SYSTEM])
def test_linux_tells_the_kind(tmp_path: Path, name: str, files: dict[str, str], kind: str) -> None:
    for file, content in files.items():
        place = tmp_path / name / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content + "\n")
    assert interfaces._kind_by_system(tmp_path / name) == kind


def test_where_linux_says_nothing_the_name_must_do(tmp_path: Path) -> None:
    assert interfaces._kind_by_system(tmp_path / "eth0") is None


@pytest.mark.parametrize(
    ("state", "up"), [("up", True), ("unknown", True), ("down", False), ("lowerlayerdown", False)]
)
def test_an_interface_without_its_cable_is_not_used(tmp_path: Path, state: str, up: bool) -> None:
    (tmp_path / "operstate").write_text(state + "\n")
    assert interfaces._is_up(tmp_path) is up


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lo0", "loopback"),
        ("utun3", "vpn"),
        ("ipsec0", "vpn"),
        ("bridge100", "virtual"),
        ("vmnet8", "virtual"),
        ("awdl0", "virtual"),
        ("en0", "unknown"),
        ("wlan0", "wireless"),
        ("enp4s0", "cable"),
        ("lowpan0", "unknown"),
    ],
)
def test_a_name_tells_the_kind(name: str, kind: str) -> None:
    assert kind_by_name(name) == kind


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Intel(R) Wi-Fi 6 AX201 160MHz", "wireless"),
        ("Realtek PCIe GbE Family Controller", "cable"),
        ("Intel(R) Ethernet Connection (7) I219-V", "cable"),
        ("TAP-Windows Adapter V9", "vpn"),
        ("WireGuard Tunnel", "vpn"),
        ("Hyper-V Virtual Ethernet Adapter", "virtual"),
        ("VMware Virtual Ethernet Adapter for VMnet1", "virtual"),
        ("Software Loopback Interface 1", "loopback"),
        ("Something else", "unknown"),
    ],
)
def test_a_description_tells_the_kind_in_windows(description: str, kind: str) -> None:
    assert kind_by_words(description) == kind


async def test_this_computer_is_surveyed() -> None:
    survey = await SystemSurveyor().survey(["127.0.0.1", "::1", "no-address.example", "%"])
    [loopback] = [each for each in survey.interfaces if each.kind == "loopback"]
    assert "127.0.0.1/8" in loopback.addresses
    assert survey.interfaces[-1] == loopback
    assert survey.sources["127.0.0.1"] == "127.0.0.1"
    assert survey.sources["no-address.example"] == ""
