"""The maintainers' tool for the feed of new versions: what it writes is what the program reads."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot.domain.updates import newest, parse_feed_address
from folkmoot.protocol.feed import MAX_SUMMARY_CHARACTERS, read_feed

_TOP = Path(__file__).parents[2]
_CHANGES = """# Changes

Words above.

## 0.3.0, not released yet

- Nothing that is told.

## 0.2.0, 2026-11-26

- Files of any size,
  from computer to computer.
- Calls begin faster.

## 0.1.0, 2026-10-01

- The first version.
"""


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_TOP / "packaging" / "feed.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    """A key, and the address of its feed."""
    path = tmp_path / "key"
    done = _run("key", path)
    assert done.returncode == 0, done.stderr
    return path, f"https://example.org/f.json{done.stdout.strip()}"


@pytest.fixture
def changes(tmp_path: Path) -> Path:
    path = tmp_path / "CHANGELOG.md"
    path.write_text(_CHANGES)
    return path


def test_a_key_is_private_and_never_written_over(key: tuple[Path, str]) -> None:
    path, address = key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(parse_feed_address(address).key) == 32
    before = path.read_bytes()
    assert _run("key", path).returncode == 1
    assert path.read_bytes() == before
    assert path.read_text().strip() not in address


def test_the_change_log_is_signed_and_each_time_the_serial_grows(
    key: tuple[Path, str], changes: Path, tmp_path: Path
) -> None:
    path, address = key
    out = tmp_path / "feed.json"
    notes = "https://example.org/notes/{version}"
    for serial in (1, 2):
        done = _run("sign", "--key", path, "--changelog", changes, "--notes", notes, out)
        assert done.returncode == 0, done.stderr
        assert address.partition("#")[2] in done.stdout
        feed = read_feed(out.read_bytes(), parse_feed_address(address).key)
        assert feed.serial == serial
        assert feed.expires_ms - feed.issued_ms == 60 * 86_400_000
        assert [one.version for one in feed.releases] == ["0.2.0", "0.1.0"]
        offer = newest(feed.releases, "0.1.0")
        assert offer is not None
        assert offer.summary == "Files of any size, from computer to computer.\nCalls begin faster."
        assert (offer.date, offer.notes) == ("2026-11-26", "https://example.org/notes/0.2.0")
    assert [p.name for p in tmp_path.iterdir() if "new" in p.name] == []


def test_what_is_believed_can_be_looked_at(
    key: tuple[Path, str], changes: Path, tmp_path: Path
) -> None:
    path, address = key
    out = tmp_path / "feed.json"
    _run("sign", "--key", path, "--changelog", changes, out)
    done = _run("verify", address, out)
    assert (done.returncode, "0.2.0, 2026-11-26" in done.stdout) == (0, True)
    assert "expired" not in done.stdout
    other = address[:-6] + ("AAAAAA" if not address.endswith("AAAAAA") else "BBBBBA")
    assert _run("verify", other, out).returncode == 1
    out.write_bytes(out.read_bytes().replace(b'"signed"', b'"sign"'))
    done = _run("verify", address, out)
    assert (done.returncode, done.stderr.startswith("feed: ")) == (1, True)


def test_a_feed_of_another_key_is_not_written_over(
    key: tuple[Path, str], changes: Path, tmp_path: Path
) -> None:
    out, second = tmp_path / "feed.json", tmp_path / "second"
    assert _run("sign", "--key", key[0], "--changelog", changes, out).returncode == 0
    before = out.read_bytes()
    assert _run("key", second).returncode == 0
    assert _run("sign", "--key", second, "--changelog", changes, out).returncode == 1
    assert out.read_bytes() == before


def test_a_long_list_of_changes_is_cut_between_its_points(
    key: tuple[Path, str], tmp_path: Path
) -> None:
    changes, out = tmp_path / "changes", tmp_path / "feed.json"
    points = "".join(f"- {'point ' * 20}{n}.\n" for n in range(40))
    changes.write_text(f"# Changes\n\n## 1.0, 2026-11-26\n\n{points}")
    done = _run("sign", "--key", key[0], "--changelog", changes, out)
    assert done.returncode == 0, done.stderr
    (release,) = read_feed(out.read_bytes(), parse_feed_address(key[1]).key).releases
    assert len(release.summary) <= MAX_SUMMARY_CHARACTERS
    assert release.summary.endswith(".")


@pytest.mark.parametrize("text", ["# Changes\n", "# Changes\n\n## next, 2026-11-26\n\n- A.\n"])
def test_a_change_log_without_a_version_is_refused(
    key: tuple[Path, str], tmp_path: Path, text: str
) -> None:
    changes, out = tmp_path / "changes", tmp_path / "feed.json"
    changes.write_text(text)
    done = _run("sign", "--key", key[0], "--changelog", changes, out)
    assert (done.returncode, out.exists()) == (1, False)
    assert "version" in done.stderr
