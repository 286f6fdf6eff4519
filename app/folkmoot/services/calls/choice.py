"""What a person chose for calls: kept in settings, and made into plans for the media process.

Refuses a microphone or a camera that is open while the person is in no call and checks nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import MediaChoice
from folkmoot.services.calls.servers import parse_servers
from folkmoot.services.media_port import AudioPlan, VideoPlan
from folkmoot.services.ports import Store

_PREFIX = "media."
PROFILES = ("saver", "balanced", "high")
CODECS = ("auto", "h264")
MAX_TEXT = 500
_ALLOWED = {"profile": PROFILES, "codec": CODECS}


@dataclass(frozen=True, slots=True)
class Check:
    """The check of devices outside a call."""

    on: bool = False
    loopback: bool = False
    test_sound: bool = False
    camera: bool = False


@dataclass(frozen=True, slots=True)
class Sounds:
    """What the call itself sounds like: as in `AudioPlan`."""

    tone: str = ""
    cue: str = ""
    cues: int = 0


async def load_choice(store: Store) -> MediaChoice:
    """The choice as it was kept; what cannot be read is as at the first start."""
    kept = await store.settings(_PREFIX)
    choice = MediaChoice()
    for field in fields(MediaChoice):
        text = kept.get(_PREFIX + field.name)
        if text is None:
            continue
        was = getattr(choice, field.name)
        value: Any = text
        if isinstance(was, bool):
            value = text == "1"
        elif isinstance(was, int):
            value = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else was
        elif not _is_allowed(field.name, text):
            value = was
        choice = replace(choice, **{field.name: value})
    return choice


async def save_choice(store: Store, choice: MediaChoice, before: MediaChoice) -> None:
    """Keep what changed."""
    old = asdict(before)
    for key, value in asdict(choice).items():
        if value != old[key]:
            text = str(int(value)) if isinstance(value, bool) else str(value)
            await store.set_setting(_PREFIX + key, text)


def check_choice(choice: MediaChoice) -> None:
    """Raises `UserError` ``bad_choice`` or ``bad_server``."""
    texts = (choice.microphone, choice.speaker, choice.camera)
    if len(choice.ice_servers) > MAX_TEXT:
        raise UserError("bad_server", f"The servers fill more than {MAX_TEXT} characters.")
    parse_servers(choice.ice_servers)
    if choice.profile not in PROFILES or not 0 <= choice.height <= 4320:
        raise UserError("bad_choice", "This quality of pictures does not exist.")
    if choice.codec not in CODECS:
        raise UserError("bad_choice", "Pictures cannot be sent like this: “auto” or “h264”.")
    if any(len(text) > MAX_TEXT for text in texts):
        raise UserError("bad_choice", "The name of a device is too long.")


def _is_allowed(field: str, text: str) -> bool:
    if field != "ice_servers":
        return text in _ALLOWED.get(field, (text,))
    try:
        parse_servers(text)
    except UserError:
        return False
    return True


def needs_devices(choice: MediaChoice) -> bool:
    """Whether devices of this computer are used, and not only files and tests."""
    used = (choice.microphone, choice.speaker, choice.camera)
    return any(text not in ("none", "test") and not text.startswith("file:") for text in used)


def _source(text: str) -> tuple[str, str]:
    if text in ("none", "test"):
        return text, ""
    if text.startswith("file:"):
        return "file", text.removeprefix("file:")
    return "device", text


def audio_plan(
    choice: MediaChoice, *, in_call: bool, microphone: bool, check: Check, sounds: Sounds
) -> AudioPlan:
    """Sound for a call in which we are (`in_call`), for a check, or for neither: all closed.

    A tone opens the speaker, and only that.
    """
    source, source_id = _source(choice.microphone)
    hears = in_call or check.on or bool(sounds.tone)
    sink = "device" if hears and choice.speaker != "none" else "none"
    return AudioPlan(
        source=source,
        source_id=source_id,
        open=(in_call and microphone) or check.on,
        sink=sink,
        sink_id=choice.speaker if sink == "device" else "",
        echo_cancellation=choice.echo_cancellation,
        noise_suppression=choice.noise_suppression,
        gain_control=choice.gain_control,
        loopback=check.on and check.loopback and not in_call,
        test_sound=check.on and check.test_sound,
        tone=sounds.tone if sink == "device" else "",
        cue=sounds.cue,
        cues=sounds.cues,
    )


def video_plan(choice: MediaChoice, *, in_call: bool, camera: bool, check: Check) -> VideoPlan:
    """Pictures, as `audio_plan`."""
    source, source_id = _source(choice.camera)
    is_open = (in_call and camera) or (check.on and check.camera)
    return VideoPlan(source, source_id, is_open, choice.profile, choice.height, choice.codec)
