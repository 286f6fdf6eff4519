"""Headless Chromium as a WebRTC peer that nobody of this project wrote.

It has a camera and a microphone that do not exist (a moving picture, a beep each second) and is
driven over a pipe with the DevTools protocol, so that it can also run in a network namespace. It
opens no page of the network. Needs `needs("chromium")`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

START_S = 30.0
_LIMIT_BYTES = 32 * 1024 * 1024
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--mute-audio", "--no-proxy-server"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"),
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--remote-debugging-pipe",
)
# Chromium talks over descriptors 3 (in) and 4 (out).
_WRAPPER = """
import os, sys
there, back = int(sys.argv[1]), int(sys.argv[2])
high = [os.dup(there), os.dup(back)]
while min(high) < 5:
    high = [os.dup(each) for each in high]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Chromium:
    """One browser with one page, and the functions of that page."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self._prefix = tuple(prefix)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""

    async def start(self) -> None:
        """Start it and open the page."""
        self._folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="fmchromium")
        await asyncio.to_thread(self._copy_page)
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._log = await asyncio.to_thread((Path(self._folder) / "log").open, "wb")
        program = [*self._prefix, sys.executable, "-c", _WRAPPER, str(commands), str(answers)]
        self._process = await asyncio.create_subprocess_exec(
            *program,
            *("chromium", *_FLAGS, f"--user-data-dir={self._folder}/profile", "about:blank"),
            pass_fds=(commands, answers),
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            env={**os.environ, "HOME": self._folder},
        )
        os.close(commands)
        os.close(answers)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LIMIT_BYTES)
        self._in, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._answers, "rb")
        )
        self._out, _ = await loop.connect_write_pipe(
            asyncio.Protocol, os.fdopen(self._commands, "wb")
        )
        self._reading = asyncio.create_task(self._read(reader))
        async with asyncio.timeout(START_S):
            made = await self._send("Target.createTarget", url="about:blank")
            attached = await self._send(
                "Target.attachToTarget", targetId=made["targetId"], flatten=True
            )
            self._session = attached["sessionId"]
            await self._send("Page.navigate", url=f"file://{self._folder}/page.html")
            await self._evaluate(
                "document.readyState === 'complete' || new Promise((done) => {"
                " addEventListener('load', () => done(true)); })"
            )

    async def begin(self, width: int = 640, height: int = 360, rate: int = 30) -> None:
        """Open the camera and the microphone."""
        await self.call("begin", {"width": width, "height": height, "rate": rate})

    async def offer(self, codec: str) -> str:
        """An offer with sound and pictures; `codec` is ``vp8`` or ``h264``."""
        return str(await self.call("offer", codec))

    async def answer(self, sdp: str, codec: str) -> str:
        """The answer to an offer; `codec` may be empty: all that both sides can."""
        return str(await self.call("answer", sdp, codec))

    async def accept(self, sdp: str) -> None:
        """Take the answer to our offer."""
        await self.call("accept", sdp)

    async def report(self) -> dict[str, Any]:
        """`state`, and what RTCStats says as `video_in`, `video_out`, `audio_in`, `audio_out`."""
        answered = await self.call("report")
        assert isinstance(answered, dict)
        return answered

    async def play(self, file: str, at: float = 0.0) -> dict[str, Any]:
        """Play a second of the file at a whole path, from `at` on. Fails where it cannot.

        `length`, `width`, `height`; `pictures` and bytes of `sound` that were decoded; `at`: where
        it stands then.
        """
        answered = await self.call("play", f"file://{file}", at)
        assert isinstance(answered, dict)
        return answered

    async def call(self, function: str, *arguments: object) -> object:
        """Call a function of the page and await what it promises."""
        words = ", ".join(json.dumps(each) for each in arguments)
        return await self._evaluate(f"{function}({words})")

    async def aclose(self) -> None:
        """End it and remove its profile."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._in.close()
        self._out.close()
        self._log.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _copy_page(self) -> None:
        page = Path(__file__).with_suffix(".html")
        shutil.copy(page, Path(self._folder) / "page.html")

    async def _evaluate(self, expression: str) -> object:
        answered = await self._send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        wrong = answered.get("exceptionDetails")
        assert not wrong, f"{expression[:60]}: {wrong}"
        return answered["result"].get("value")

    async def _send(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._out.write(json.dumps(message).encode() + b"\0")
        answered = await answer
        assert "error" not in answered, f"{method}: {answered['error']}"
        result = answered["result"]
        assert isinstance(result, dict)
        return result

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                message = json.loads((await reader.readuntil(b"\0"))[:-1])
                answer = self._waiting.pop(message.get("id", 0), None)
                if answer is not None and not answer.done():
                    answer.set_result(message)
        for each in self._waiting.values():
            each.set_exception(AssertionError("Chromium ended"))


@contextlib.asynccontextmanager
async def chromium(prefix: Sequence[str] = ()) -> AsyncIterator[Chromium]:
    """A browser with its page open for the length of a test."""
    made = Chromium(prefix)
    try:
        await made.start()
        yield made
    finally:
        await made.aclose()
