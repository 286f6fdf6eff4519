"""Each check of the self-test fails where its capability is broken, and says what is missing.

The check runs as it always does, in a process of its own; only that a line of code goes before it,
which takes something away.
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass

import pytest

from folkmoot.bootstrap.selftest.checks import BY_NAME
from folkmoot.bootstrap.selftest.report import Outcome
from folkmoot.bootstrap.selftest.runner import Runner

pytestmark = pytest.mark.long

_BEFORE = """
import os, shutil, sys, tempfile
from pathlib import Path
os.environ["QT_QPA_PLATFORM"] = "offscreen"

def no(*_, **__):
    raise OSError("taken away by the test")

def resources():
    "A copy of the resources, which is used from now on."
    import folkmoot.resources as module
    copy = Path(tempfile.mkdtemp(), "resources")
    shutil.copytree(module._CLONE, copy)
    module._CLONE = copy
    return copy

def plugins(*without):
    "Let Qt see only its plug-ins that have none of these words in their path."
    import PySide6
    from PySide6.QtCore import QCoreApplication
    there = Path(PySide6.__file__).parent / "Qt" / "plugins"
    here = Path(tempfile.mkdtemp())
    for path in there.rglob("*.so"):
        name = path.relative_to(there)
        if not any(word in str(name) for word in without):
            here.joinpath(name).parent.mkdir(exist_ok=True)
            here.joinpath(name).symlink_to(path)
    QCoreApplication.setLibraryPaths([str(here)])
    # A link is resolved, and Qt looks there again: what is left out must not be found.
    os.environ["QT_PLUGIN_PATH"] = str(here)

def media_that_ends(after_s=0):
    from folkmoot.media.launcher import ProcessLauncher
    ending = [sys.executable, "-c", f"import time; time.sleep({after_s}); raise SystemExit(7)"]
    ProcessLauncher.__init__.__kwdefaults__["command"] = lambda memory: ending
"""
_AFTER = """
from folkmoot.bootstrap.selftest.checks import BY_NAME
from folkmoot.bootstrap.selftest.child import be_check
be_check(BY_NAME[{name!r}])
"""


@dataclass(frozen=True)
class Broken:
    """What is taken away from a check, and what it must say then."""

    check: str
    code: str
    says: str

    @property
    def id(self) -> str:
        """For the name of the test."""
        return f"{self.check}: {self.says}"


_QT = "import folkmoot.bootstrap.selftest.qt as qt\n"
_MEDIA = "import folkmoot.media.selftest as media\nimport numpy as np\n"
_TALK = "import folkmoot.bootstrap.selftest.talking as talking\n"
_LINK = "import folkmoot.bootstrap.selftest.linking as linking\n"
_KEEP = "import folkmoot.bootstrap.selftest.keeping as keeping\n"

BROKEN = [
    # a window
    Broken(
        "qt_platform",
        "for name in ('QT_QPA_PLATFORM', 'DISPLAY', 'WAYLAND_DISPLAY'):\n"
        "    os.environ.pop(name, None)",
        "There is no display here",
    ),
    Broken("qt_platform", "os.environ['QT_QPA_PLATFORM'] = 'nonsense'", "crashed (SIGABRT)"),
    Broken(
        "qt_platform",
        _QT + "qt._WAIT_S = 0.5\nqt._Painted.show = lambda self: None",
        "A window that is painted did not come",
    ),
    Broken(
        "qt_platform",
        _QT + "from PySide6.QtWidgets import QWidget\n"
        "def paint(self, event):\n    self.painted += 1\nqt._Painted.paintEvent = paint",
        "A window shows",
    ),
    # pictures and letters
    Broken("svg", "(resources() / 'icons/send-horizontal.svg').unlink()", "FileNotFoundError"),
    Broken(
        "svg",
        "(resources() / 'icons/send-horizontal.svg').write_text('<svg/>')",
        "drawn with 0 pixels of ink",
    ),
    Broken(
        "svg",
        "(resources() / 'app/folkmoot.svg').write_text('<svg/>')",
        "own icon was drawn with 0 pixels",
    ),
    Broken("svg", "sys.modules['PySide6.QtSvg'] = None", "QtSvg"),
    *(
        Broken("image_formats", f"plugins('imageformats/libq{plugin}')", f"Qt cannot read {name}")
        for plugin, name in (("svg", "SVG"), ("jpeg", "JPEG"), ("gif", "GIF"), ("webp", "WEBP"))
    ),
    Broken(
        "image_formats",
        "import folkmoot.bootstrap.selftest.pictures as p\n"
        "p.PICTURES['PNG'] = (p.PICTURES['PNG'][0][:60], 0)",
        "Qt cannot read PNG",
    ),
    Broken("image_formats", _QT + "qt._LEFT = qt.QColor(0, 0, 0)", "PNG shows #1e5ac8 where"),
    Broken(
        "fonts",
        "(resources() / 'fonts/Inter-Regular.otf').write_bytes(b'no font')",
        "does not take the fonts Inter-Regular.otf",
    ),
    Broken(
        "fonts",
        "import folkmoot.ui.theme.fonts as f\nf.TEXT_FAMILIES = ('Nowhere',)",
        "instead of Inter",
    ),
    Broken(
        "resources",
        "(resources() / 'icons/phone.svg').unlink()",
        "1 files are missing: icons/phone.svg",
    ),
    Broken(
        "resources", "(resources() / 'icons/phone.svg').write_text('<svg/>')", "show nothing: phone"
    ),
    Broken("resources", "(resources() / 'emoji.json').write_text('[{')", "JSONDecodeError"),
    Broken("resources", "(resources() / 'words/english.txt').write_text('one')", "word"),
    Broken(
        "translations",
        "import folkmoot.ui.language as l\nl.QLibraryInfo.path = staticmethod(lambda _: '/no')",
        "qtbase_de.qm) are missing",
    ),
    Broken(
        "translations",
        _QT + "qt.QApplication.installTranslator = lambda *_: True",
        "in “de” is “Cancel”",
    ),
    Broken(
        "single_instance",
        "import folkmoot.system.instance as i\ni._lock = lambda _: True",
        "Two windows can run on one profile",
    ),
    Broken(
        "single_instance",
        _QT + "import folkmoot.system.activation as a\nqt._WAIT_S = 1.5\n"
        "a.QLocalServer.listen = lambda self, name: False",
        "The word of a second start did not come",
    ),
    Broken(
        "single_instance",
        _QT + "import folkmoot.system.activation as a\nqt._WAIT_S = 1.5\n"
        "a.Activation._heard = lambda self, caller: caller.abort()",
        "The word of a second start did not come",
    ),
    Broken(
        "single_instance",
        "import folkmoot.system.activation as a\nold = a.Activation.__init__\n"
        "a.Activation.__init__ = lambda self, folder, _: old(self, folder, lambda link: None)",
        "nothing came of it",
    ),
    # sound and pictures
    Broken("media_player", "plugins('multimedia')", "no back end that plays files"),
    Broken(
        "media_player",
        "import folkmoot.media.selftest as m\nold = m.record\n"
        "def record(output, seconds):\n    old(output, seconds)\n"
        "    path = Path(tempfile.gettempdir(), 'film.mkv')\n    path.write_bytes(b'x' * 5000)\n"
        "m.record = record",
        "The player says",
    ),
    Broken(
        "media_player",
        "import folkmoot.media.selftest as m\nold = m.write_film\n"
        "m.write_film = lambda path, s: (old(path, s), (0.0, 0.0, 0.0))[1]",
        "wrong colours",
    ),
    Broken("sound", "plugins('multimedia')", "no back end for sound"),
    Broken("sound", _MEDIA + "media.libpulse.load = lambda: None", "libpulse"),
    Broken(
        "echo_cancellation",
        "import importlib.util as u\nold = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('livekit', 'pyaec') else old(name, *a)",
        "No library that cancels echo",
    ),
    Broken(
        "echo_cancellation",
        "import folkmoot.media.devices.processing as p\np._make_module = no",
        "livekit) cannot be used",
    ),
    Broken(
        "echo_cancellation",
        "import folkmoot.media.devices.processing as p\n"
        "p.LivekitCleaner.clean = lambda self, recorded, delay: recorded",
        "leaves the echo",
    ),
    *(
        Broken(
            "codecs",
            "import av\nold = av.CodecContext.create\n"
            f"gone = {gone!r}\n"
            "class Context:\n    @staticmethod\n    def create(name, mode):\n"
            "        if (name, mode) == gone:\n            raise ValueError(name + ' is gone')\n"
            "        return old(name, mode)\nav.CodecContext = Context",
            says,
        )
        for gone, says in (
            (("libvpx", "w"), "libvpx is gone"),
            (("libx264", "w"), "H264 works"),
            (("vp8", "r"), "VP8: decoding took"),
            (("h264", "r"), "H264: decoding"),
        )
    ),
    Broken(
        "codecs",
        "import folkmoot.media.receive.decode as d\nimport av\n"
        "d._decoded = lambda decoder, frame: [av.VideoFrame(320, 180, 'yuv420p')]",
        "decoded picture is another one",
    ),
    Broken(
        "codecs",
        "import folkmoot.media.receive.opus as o\no._candidates = lambda: iter(())",
        "libopus was not found",
    ),
    Broken(
        "codecs",
        _MEDIA + "media.OpusDecoder.decode = lambda self, p: np.zeros(960, np.int16)",
        "Opus: what came back is silence",
    ),
    Broken(
        "codecs",
        _MEDIA + "media.Converter.read = lambda self, data: "
        "np.random.default_rng(1).integers(-900, 900, 9600).astype(np.int16)",
        "Sample rates: what came back sounds different",
    ),
    Broken(
        "recording",
        "import folkmoot.media.recording.output as o\no.MatroskaWriter = no",
        "taken away",
    ),
    Broken(
        "recording", "import folkmoot.media.recording.output as o\no.av.open = no", "taken away"
    ),
    Broken(
        "recording",
        "import folkmoot.media.recording.output as o\no.MatroskaOutput.sound = lambda *_: None",
        "it has no sound",
    ),
    Broken("pictures", "media_that_ends()", "status 7"),
    Broken(
        "pictures",
        "import folkmoot.media.launcher as l\nl.make_memory = no",
        "no memory for pictures",
    ),
    Broken(
        "pictures",
        _TALK + "talking._PICTURE_S = 1.0\ntalking.SetVideo = lambda plan: talking.ShowTiles(())",
        "a picture is shown",
    ),
    # calls
    Broken(
        "loopback_call",
        # Not before the other one heard of the call, on a machine that stands still too.
        _TALK + "talking.CALL_S = 12.0\nmedia_that_ends(1)",
        "Sound and pictures stopped working",
    ),
    *(
        Broken(
            "loopback_call",
            _TALK + "talking.CALL_S = 8.0\nold = talking.lonely\n"
            f"talking.lonely = lambda name, **has: old(name, **(has | {{{what!r}: 'none'}} "
            "if name == 'Bob' else has))",
            "that Ada hears and sees Bob",
        )
        for what in ("camera", "microphone")
    ),
    Broken(
        "loopback_call",
        _TALK + "talking.CALL_S = 6.0\nimport folkmoot.net.tls as tls\ntls.TlsTransport.dial = no",
        "Nobody of Self-test can be reached",
    ),
    # what is kept
    Broken(
        "full_text",
        "import folkmoot.storage.messages as m\n"
        "m._INDEX = 'INSERT INTO words (rowid, text) SELECT ?, ? WHERE 0'",
        "does not find “ladder kaserei”",
    ),
    Broken(
        "full_text",
        "import folkmoot.storage.messages as m\nm.searchable = lambda text: text",
        "does not find “会議”",
    ),
    Broken(
        "full_text",
        "import sqlite3\nclass C(sqlite3.Connection):\n"
        "    def executescript(self, text):\n"
        "        if 'fts5' in text:\n"
        "            raise sqlite3.OperationalError('no such module: fts5')\n"
        "        return super().executescript(text)\nold = sqlite3.connect\n"
        "sqlite3.connect = lambda *a, **k: old(*a, factory=C, **k)",
        "no such module: fts5",
    ),
    Broken(
        "full_text",
        "import sqlite3\nclass C(sqlite3.Connection):\n"
        "    def execute(self, text, *a):\n"
        "        return super().execute(text.replace('= WAL', '= DELETE'), *a)\n"
        "old = sqlite3.connect\nsqlite3.connect = lambda *a, **k: old(*a, factory=C, **k)",
        "is “delete”, not WAL",
    ),
    Broken("full_text", _KEEP + "keeping.describe = lambda path: ('3.8.1', 'wal')", "too old"),
    Broken(
        "profile",
        _KEEP + "keeping.write_private = lambda path, what: path.write_bytes(b'')",
        "reads differently",
    ),
    Broken(
        "profile",
        _KEEP + "old = keeping.write_private\n"
        "keeping.write_private = lambda path, what: (old(path, what), path.chmod(0o644))",
        "can be read by others",
    ),
    Broken("profile", "import time\ntime.time = lambda: 0.0", "clock of this computer says 1970"),
    # links
    Broken(
        "tls_proofs", "import folkmoot.net.tls as t\nt.make_listener_identity = no", "taken away"
    ),
    Broken(
        "tls_proofs",
        "import folkmoot.protocol.handshake as h\nh.verify = lambda *_: True",
        "for another channel was believed",
    ),
    Broken(
        "tls_proofs",
        _LINK + "old = linking._keyring\nkept = old()\nlinking._keyring = lambda: kept",
        "the dialler is this computer itself",
    ),
    Broken(
        "quic",
        _LINK + "linking._STEP_S = 1.0\nlinking._Path.send = lambda *_: None",
        "was not reached",
    ),
    Broken("quic", "sys.modules['aioquic'] = None", "aioquic"),
    Broken(
        "mdns",
        _LINK + "linking._MDNS_S = 2.0\nasync def nothing(self):\n    pass\n"
        "linking.MdnsDiscovery._announce_anew = nothing",
        "is not heard on 127.0.0.1",
    ),
    Broken("server", "sys.modules['websockets'] = None", "websockets"),
    Broken(
        "server",
        "import folkmoot.net.selftest as s\nfrom aiohttp import web\n"
        "async def mute(request):\n    socket = web.WebSocketResponse()\n"
        "    await socket.prepare(request)\n    await socket.receive()\n"
        "    await socket.send_bytes(b'x')\n    return socket\ns._echo = mute",
        "came back over a WebSocket as another one",
    ),
    Broken("mdns", "sys.modules['zeroconf'] = None", "zeroconf"),
    Broken(
        "api",
        "async def all(*_):\n    pass\nimport folkmoot.api.guard as g\ng.Guard.require = all",
        "answers 200 without",
    ),
    Broken(
        "api",
        "import folkmoot.api.tokens as t\nt.TokenBook.make = lambda *_: 'nonsense'",
        "401 with a token",
    ),
    Broken("api", "sys.modules['aiohttp'] = None", "aiohttp"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.id)
def test_a_check_fails_where_its_capability_is_broken(broken: Broken) -> None:
    outcome = _run(broken)
    assert not outcome.ok
    assert broken.says in outcome.what


def test_a_call_that_fails_once_is_made_again_and_that_is_said() -> None:
    code = _TALK + "old, told = talking._talk, []\nasync def talk(*a):\n    if not told:\n"
    code += "        told.append(1)\n        raise talking.Lacking('too slow')\n"
    outcome = _run(
        Broken("loopback_call", code + "    return await old(*a)\ntalking._talk = talk", "")
    )
    assert outcome.ok, outcome.what
    assert "at the second attempt" in outcome.what


def test_each_check_has_been_seen_to_fail() -> None:
    assert {broken.check for broken in BROKEN} == set(BY_NAME)


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"loopback_call"}))
def test_the_same_check_is_well_where_nothing_is_broken(name: str) -> None:
    outcome = _run(Broken(name, "", ""))
    assert outcome.ok, outcome.what


def _run(broken: Broken) -> Outcome:
    after = _AFTER.format(name=broken.check)
    code = f"{textwrap.dedent(_BEFORE)}\n{broken.code}\n{after}"
    with Runner(lambda _: [sys.executable, "-c", code]) as runner:
        return runner.run([BY_NAME[broken.check]])[0]
