"""What the ends of measured calls do: plans that are handed to processes of their own as JSON."""

from __future__ import annotations

import dataclasses

from folkmoot.services.media_port import AudioPlan, VideoPlan

SYNTHETIC = ("none", "chirps", "noise")
"""Sounds that come from no device."""


@dataclasses.dataclass(frozen=True)
class StockPlan:
    """What this peer does.

    `width`, `height`: the generated picture is sent, 0: none. `sound`: ``none``, ``chirps``,
    ``noise`` without a pause, or the name of a microphone. `speaker`: where sound is played, empty:
    nowhere. `view`: (width, height) of the widget that paints pictures. `decode`: 0 counts pictures
    without decoding them. Of every
    `keep`-th picture the luma is kept in a file of `folder` under its stamp. `bitrate` (bit/s)
    replaces the limits of aiortc, which are constants of its module for VP8; 0 leaves them. `page`:
    a `lab.page.Script` that is sent instead of the generated picture.
    """

    width: int = 0
    height: int = 0
    sound: str = "none"
    speaker: str = ""
    view: tuple[int, int] | None = None
    decode: bool = True
    codec: str = "vp8"
    bitrate: int = 0
    keep: int = 0
    folder: str = ""
    page: str = ""

    @property
    def uses_qt(self) -> bool:
        """Whether there is a widget or a device."""
        return bool(self.view or self.speaker or self.sound not in SYNTHETIC)


@dataclasses.dataclass(frozen=True)
class WindowPlan:
    """`width`, `height` of each tile; `keys`: whose pictures they show. `microphone` and `speaker`
    are names of devices, empty: none. `sends`: the generated picture is sent at this height."""

    width: int = 640
    height: int = 360
    keys: tuple[str, ...] = ("1",)
    microphone: str = ""
    speaker: str = ""
    sends: int = 0
    clean: bool = True
    """Echo cancellation, noise suppression and gain control are on."""

    def audio(self) -> AudioPlan:
        """What the media process is told about sound."""
        return AudioPlan(
            source="device" if self.microphone else "none",
            source_id=self.microphone,
            open=bool(self.microphone),
            sink="device" if self.speaker else "none",
            sink_id=self.speaker,
            echo_cancellation=self.clean,
            noise_suppression=self.clean,
            gain_control=self.clean,
        )

    def video(self) -> VideoPlan:
        """What it is told about pictures."""
        if not self.sends:
            return VideoPlan()
        return VideoPlan(source="test", open=True, profile="high", height=self.sends)
