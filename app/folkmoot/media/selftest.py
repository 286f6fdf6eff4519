"""Checks of the self-test that work on sound and pictures: codecs, recordings, echo, the back end.

Each goes through the same code as a call. Refuses to trust a library that only loads: what comes
out is compared with what went in.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.domain.errors import Lacking
from folkmoot.media.devices import libpulse
from folkmoot.media.devices.convert import Converter
from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.planes import view_plane
from folkmoot.media.devices.processing import Wanted, make_cleaner
from folkmoot.media.devices.ring import RATE, STEP, Samples
from folkmoot.media.devices.sounds import FileSound, TestSound
from folkmoot.media.encoding import H264, VP8, Coder, EncodedPicture, EncoderSettings
from folkmoot.media.process import find_echo_canceller
from folkmoot.media.receive.decode import DecodeThread
from folkmoot.media.receive.opus import FRAME_SAMPLES, OpusDecoder, OpusEncoder
from folkmoot.media.receive.payload import parse
from folkmoot.media.receive.video_buffer import EncodedFrame
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.disk import RecordingFile
from folkmoot.media.recording.output import MatroskaOutput, Mp4Output, Output
from folkmoot.media.screen.encoding import ScreenCoder

WIDTH, HEIGHT, FPS = 320, 180, 15
PICTURES = 6
LEAST_PSNR_DB = 24.0
"""Of a decoded picture: what a person still calls the same. Noise has 8, a wrong plane 15."""
LEAST_ALIKE = 0.8
"""Correlation of decoded sound with what was said; 1 is the same, noise has about 0."""
_WAIT_S = 8.0
_LOOK_S = 0.01


def check_codecs(_: Path) -> str:
    """VP8, H264 and Opus there and back, what a screen is sent with, pictures between formats."""
    done = [f"{name} {_check_picture(name):.0f} dB" for name in (VP8, H264)]
    done.append(f"screen {_check_screen():.0f} dB")
    done.append(f"Opus alike to {_check_opus():.2f}")
    _check_conversion()
    return f"encoded and decoded: {', '.join(done)}; colours and sample rates converted"


def _check_picture(codec: str) -> float:
    coder = Coder()
    settings = EncoderSettings(rate_bps=800_000, fps=FPS, codec=codec)

    def encode(frame: av.VideoFrame, number: int) -> EncodedPicture | None:
        return coder.encode(frame, number * SECOND // FPS, settings, number == 0)

    return _there_and_back(codec, encode)


def _check_screen() -> float:
    coder = ScreenCoder()
    return _there_and_back(
        VP8, lambda frame, number: coder.encode(frame, number * SECOND // FPS, number == 0)
    )


def _there_and_back(
    codec: str, encode: Callable[[av.VideoFrame, int], EncodedPicture | None]
) -> float:
    """Encode a few pictures, decode them as a receiver does; how near the last comes, in dB."""
    pattern = Pattern(WIDTH, HEIGHT)
    came: list[av.VideoFrame] = []
    faults: list[str] = []
    thread = DecodeThread(
        codec,
        lambda frame, _: came.append(frame),
        lambda: faults.append("it could not be decoded"),
        faults.append,
    )
    try:
        for number in range(PICTURES):
            encoded = encode(pattern.draw(number, 0), number)
            if encoded is None:
                raise Lacking(f"{codec}: nothing came out of the encoder.")
            data = b"".join(parse(codec, payload).data for payload in encoded.payloads)
            thread.put(EncodedFrame(encoded.timestamp, data, encoded.key, False))
            _wait(lambda count=number: len(came) > count or bool(faults), f"{codec}: decoding")  # type: ignore[misc]
            if faults:
                raise Lacking(f"{codec}: {faults[0]}.")
    finally:
        thread.end()
        thread.join(_WAIT_S)
    return _near(f"{codec}:", came[-1], pattern.draw(PICTURES - 1, 0))


def _near(what: str, came: av.VideoFrame, wanted: av.VideoFrame) -> float:
    """PSNR in dB, over all three planes. Raises `Lacking` where the picture is another one."""
    if (came.width, came.height) != (wanted.width, wanted.height):
        raise Lacking(f"{what} the picture came back as {came.width}x{came.height}.")
    planes = [
        (view_plane(came, index).astype(float), view_plane(wanted, index).astype(float))
        for index in range(3)
    ]
    error = sum(float(((one - other) ** 2).sum()) for one, other in planes)
    mean = error / sum(one.size for one, _ in planes)
    psnr = 99.0 if mean == 0 else 10 * float(np.log10(255.0**2 / mean))
    if psnr < LEAST_PSNR_DB:
        raise Lacking(f"{what} the decoded picture is another one ({psnr:.0f} dB).")
    return psnr


def _check_opus() -> float:
    encoder, decoder, sound = OpusEncoder(), OpusDecoder(), TestSound()
    said: list[Samples] = []
    heard: list[Samples] = []
    try:
        for _ in range(30):
            piece = np.concatenate([sound.pull() for _ in range(FRAME_SAMPLES // STEP)])
            said.append(piece)
            heard.append(decoder.decode(encoder.encode(piece)))
    finally:
        encoder.close()
        decoder.close()
    return _alike("Opus:", np.concatenate(heard), np.concatenate(said))


def _alike(what: str, heard: Samples, said: Samples) -> float:
    """The greatest correlation at any delay. Raises `Lacking` where the sound is another one."""
    one, other = heard.astype(float), said.astype(float)
    if not one.any():
        raise Lacking(f"{what} what came back is silence.")
    size = len(one) + len(other)
    crossed = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    alike = float(crossed.max() / np.sqrt((one**2).sum() * (other**2).sum()))
    if alike < LEAST_ALIKE:
        raise Lacking(f"{what} what came back sounds different ({alike:.2f}).")
    return alike


def _check_conversion() -> None:
    """Colours to what the window paints and back; sound to what a device takes and back."""
    picture = Pattern(WIDTH, HEIGHT).draw(0, 0)
    back = picture.reformat(format="bgra").reformat(format="yuv420p")
    _near("Colours:", back, picture)
    sound = TestSound()
    said = np.concatenate([sound.pull() for _ in range(40)])
    device = Converter("f4", 44_100, 2)
    data = device.write(said)
    heard = Converter("f4", 44_100, 2).read(data)
    _alike("Sample rates:", heard, said)


class _MakeOutput(Protocol):
    def __call__(self, file: RecordingFile) -> Output: ...


def check_recording(folder: Path) -> str:
    """A recording of each kind is written, read again and compared."""
    makes: dict[str, _MakeOutput] = {
        "mkv": MatroskaOutput,
        "mp4": lambda file: Mp4Output(file, WIDTH, HEIGHT, FPS),
    }
    done = []
    for kind, make in makes.items():
        path = folder / f"recording.{kind}"
        record(make(RecordingFile(str(path))))
        done.append(f"{kind} {_read_back(path):.0f} dB")
    return f"written and read again: {', '.join(done)}, with sound"


def record(output: Output, seconds: int = 1) -> None:
    """Write the test picture and the test sound, and finish the file."""
    pictures = output.add_picture("Picture", FPS)
    voice = output.add_sound("Sound", mixed=True)
    if pictures is None or voice is None:
        raise Lacking("There is no room for a track in a recording.")
    pattern, sound = Pattern(WIDTH, HEIGHT), TestSound()
    for number in range(FPS * seconds):
        output.picture(pictures, pattern.draw(number, 0), number * SECOND // FPS)
    chunk = output.chunk(voice)
    heard = np.concatenate([sound.pull() for _ in range(RATE * seconds // STEP)])
    for at in range(0, len(heard) - chunk + 1, chunk):
        output.sound(voice, heard[at : at + chunk].astype(np.float32) / 32768.0, at)
    output.finish()


def _read_back(path: Path) -> float:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    if len(frames) != FPS:
        raise Lacking(f"{path.suffix}: {len(frames)} of {FPS} pictures can be read.")
    near = _near(f"{path.suffix}:", frames[-1], Pattern(WIDTH, HEIGHT).draw(FPS - 1, 0))
    played, sound = FileSound(str(path)), TestSound()
    try:
        heard = [piece for _ in range(80) if (piece := played.pull()) is not None]
    finally:
        played.close()
    said = np.concatenate([sound.pull() for _ in range(80)])
    _alike(f"{path.suffix}:", np.concatenate(heard), said)
    return near


def write_film(path: Path, seconds: int = 2) -> tuple[float, float, float]:
    """A recording of the test picture; the mean colour of its pictures: red, green, blue."""
    record(MatroskaOutput(RecordingFile(str(path))), seconds)
    shown = Pattern(WIDTH, HEIGHT).draw(FPS, 0).to_ndarray(format="rgb24")
    red, green, blue = (float(shown[..., index].mean()) for index in range(3))
    return red, green, blue


def check_echo_cancellation(_: Path) -> str:
    """A voice that comes back as an echo is taken out of the microphone."""
    installed = find_echo_canceller()
    if not installed:
        raise Lacking("No library that cancels echo is there.")
    cleaner = make_cleaner(Wanted(gain=False))
    if cleaner is None or cleaner.name != installed:
        raise Lacking(f"The library that cancels echo ({installed}) cannot be used.")
    chance = np.random.default_rng(1)
    noise: NDArray[np.float64] = chance.standard_normal(RATE * 4) * 3000
    played = np.clip(noise, -32768, 32767).astype(np.int16)
    steps = played.reshape(-1, STEP)
    silence = np.zeros(STEP, np.int16)
    left: list[Samples] = []
    before = silence
    for step in steps:
        cleaner.hear(step)
        left.append(cleaner.clean((before // 2).astype(np.int16), 10))
        before = step
    tail = np.concatenate(left[-100:]).astype(float)
    echo = steps[-101:-1].astype(float) / 2
    power = float((tail**2).mean()) + 1.0
    gone = 10 * float(np.log10((echo**2).mean() / power))
    if gone < 10:
        raise Lacking(f"{installed} leaves the echo as it is ({gone:.0f} dB less).")
    return f"{installed} made an echo {gone:.0f} dB quieter"


def check_sound(_: Path) -> str:
    """The back end that lists devices answers; a computer without sound devices is well too."""
    counted = _ask_qt()
    words = f"Qt answers: {counted}"
    return f"{words}; {_ask_pulse()}" if sys.platform.startswith("linux") else words


def _ask_qt() -> str:
    from folkmoot.media.devices.qt import make_application

    application = make_application()
    from PySide6.QtMultimedia import QMediaDevices, QMediaPlayer

    if not QMediaPlayer().isAvailable():
        raise Lacking("Qt has no back end for sound and pictures: its plugin does not load.")
    counts = [
        len(found())
        for found in (
            QMediaDevices.audioInputs,
            QMediaDevices.audioOutputs,
            QMediaDevices.videoInputs,
        )
    ]
    del application
    return "{} microphones, {} speakers, {} cameras".format(*counts)


def _ask_pulse() -> str:
    """The library for PulseAudio and PipeWire; a server need not run."""
    library = libpulse.load()
    if library is None:
        raise Lacking("libpulse, which PulseAudio and PipeWire are asked with, cannot be loaded.")
    connection = libpulse.Connection(library, b"folkmoot self-test")
    try:
        until = time.monotonic() + 3.0
        while not (connection.is_ready or connection.is_over) and time.monotonic() < until:
            connection.turn(100_000)
        return "libpulse has a server" if connection.is_ready else "libpulse answers, no server"
    finally:
        connection.close()


def _wait(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _WAIT_S
    while not holds():
        if time.monotonic() > until:
            raise Lacking(f"{what} took more than {_WAIT_S:g} s.")
        time.sleep(_LOOK_S)
