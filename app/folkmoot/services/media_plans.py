"""What the node wants of the media process, as values: sound, pictures, shares, tiles, recordings.

They travel in the messages of `media_port`, whose types of fields are here too. Bounds are checked
where they are decoded.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_SDP_CHARACTERS = 24 * 1024

Meta = msgspec.Meta
PeerKey = Annotated[bytes, Meta(max_length=32)]
Name = Annotated[str, Meta(max_length=512)]
Code = Annotated[str, Meta(max_length=32)]
Words = Annotated[str, Meta(max_length=500)]
Sdp = Annotated[str, Meta(max_length=MAX_SDP_CHARACTERS)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class IceServer(msgspec.Struct, array_like=True, frozen=True):
    """A STUN or TURN server. None is used unless settings or a signaling server name one."""

    url: Name
    username: Name = ""
    credential: Name = ""


class AudioPlan(msgspec.Struct, array_like=True, frozen=True):
    """Where sound comes from and goes to.

    `source`: ``none``, ``device`` (`source_id`, empty: the default), ``test``, ``file`` (its path
    is `source_id`). `open`: the microphone is on; while it is off the device is closed. `sink`:
    ``none`` or ``device`` (`sink_id`). `loopback`: what is heard is played back, for the check
    before joining. `test_sound`: play a short melody. `tone` goes on while it is said: ``ring``
    (somebody calls), ``waiting`` (the same during a call) or ``ringback`` (somebody is called).
    `cue` is played once each time `cues` counts on: ``joined``, ``left`` or ``ended``; the speaker
    stays open for it.
    """

    source: Code = "none"
    source_id: Name = ""
    open: bool = False
    sink: Code = "none"
    sink_id: Name = ""
    echo_cancellation: bool = True
    noise_suppression: bool = True
    gain_control: bool = True
    loopback: bool = False
    test_sound: bool = False
    tone: Code = ""
    cue: Code = ""
    cues: Number = 0


class VideoPlan(msgspec.Struct, array_like=True, frozen=True):
    """Where pictures come from: `source` as in `AudioPlan`. `open`: the camera is on.

    `profile` is ``saver``, ``balanced`` or ``high``; `height` caps it, 0 leaves it to the profile.
    `codec`: ``auto`` (VP8) or ``h264``, which is sent where everybody takes it.
    """

    source: Code = "none"
    source_id: Name = ""
    open: bool = False
    profile: Code = "balanced"
    height: Number = 0
    codec: Code = "auto"


class SharePlan(msgspec.Struct, array_like=True, frozen=True):
    """What is shared of the screen. `source`: ``none``, ``screen``, ``window``, ``region``,
    ``platform`` (the picker of the desktop chooses), ``test`` (a generated page), ``file``.

    `source_id` is the id of a `SourceRow`, or a path. `region` (left, top, width, height) is in
    pixels of the whole screen area. `fps` caps the rate, 0: by what moves, 5 to 30. `paused`: the
    last picture stays. `sound`: what the computer plays is shared too, ours left out.
    """

    source: Code = "none"
    source_id: Name = ""
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    fps: Annotated[int, Meta(ge=0, le=30)] = 0
    paused: bool = False
    sound: bool = False


CAMERA, SCREEN, SOURCE = "camera", "screen", "source"
"""Kinds of pictures: of a peer's camera, of what a peer shares, of what could be shared."""
WHOLE = 65536
"""Fractions of a picture are counted in these."""
Fraction16 = Annotated[int, Meta(ge=0, le=WHOLE)]


class TilePlan(msgspec.Struct, array_like=True, frozen=True):
    """Pictures of `peer` go into `slot` at this size, cut to fill it or (`fit`) shown whole.

    `tag` is written beside each picture, so that a reader knows for which plan it was made. `kind`
    is ``camera``, ``screen`` or ``source`` (a thumbnail of the source `source_id`, while sources
    are listed). `zoom` is the part of the picture that is shown: left, top, right, bottom.
    """

    slot: Number
    peer: PeerKey
    width: Number
    height: Number
    tag: Number
    fit: bool = False
    mirrored: bool = False
    kind: Code = CAMERA
    source_id: Name = ""
    zoom: tuple[Fraction16, Fraction16, Fraction16, Fraction16] = (0, 0, WHOLE, WHOLE)


class RecordPlace(msgspec.Struct, array_like=True, frozen=True):
    """Where the pictures of a peer stand in the recorded one, in its pixels. `kind` as in
    `TilePlan`. `name` is written on it, and is all that is there without a picture."""

    peer: PeerKey
    kind: Code
    left: Number
    top: Number
    width: Number
    height: Number
    name: Annotated[str, Meta(max_length=128)] = ""
    fit: bool = False


class RecordPlan(msgspec.Struct, array_like=True, frozen=True):
    """A recording. `path` ends in ``.mkv`` or ``.mp4`` and is not there yet.

    `tracks`: one track for each person's sound and picture, as they come, instead of one picture
    (`width` times `height`, `fps` a second, laid out by `places`) and one mixed sound; only in
    ``.mkv``. `paused`: it begins with a pause.
    """

    path: Annotated[str, Meta(max_length=4096)]
    width: Number = 1280
    height: Number = 720
    fps: Annotated[int, Meta(ge=1, le=30)] = 30
    tracks: bool = False
    places: Annotated[tuple[RecordPlace, ...], Meta(max_length=64)] = ()
    paused: bool = False
