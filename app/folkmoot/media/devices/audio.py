"""The audio engine: one thread that takes, cleans, encodes, mixes and plays 10 ms at a time.

Owns the clock of sound: a step each 10 ms, a little sooner or later so that the device that plays
always has between 10 and 30 ms waiting. A microphone has its own clock: its sound is worked on as
it comes. Refuses to let anything out that was recorded while the plan says closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from folkmoot.media.devices.levels import Level
from folkmoot.media.devices.mix import Limiter, mix
from folkmoot.media.devices.own_sound import OwnSound
from folkmoot.media.devices.processing import Processing, Wanted
from folkmoot.media.devices.ring import RATE, STEP, Samples
from folkmoot.media.devices.sound_devices import Keeper, Microphone, Speaker
from folkmoot.media.devices.sounds import Cue, Melody, Tone
from folkmoot.media.devices.system_sound import SystemSound
from folkmoot.media.devices.urgent import hurry
from folkmoot.media.devices.voice_out import (
    PACKET,
    Encoder,
    VoiceOut,
    make_encoder,
    make_music_encoder,
)
from folkmoot.services.media_port import SELF, AudioPlan

STEP_S = 0.01
_LATE_S = 0.1
"""Steps that are later than this are left out instead of made up for."""
_LOW_MS, _MOST_LOW_MS = 8.0, 28.0
"""What shall be left in the device when it gets the next 10 ms: on a computer where it ran dry,
more."""
_DRY_MS, _CALM_MS = 6.0, 0.1
"""So much more each time it ran dry, and less with each look at it."""
_SETTLE_S = 3.0
"""What happens while a device opens says nothing about it."""
_REGULATE_STEPS = 20
_LEVEL_STEPS = 10
_STALLED_STEPS = 10
"""A microphone that gave nothing for so long does not carry the system sound any more."""
_NO_VOICE = 127
_SYSTEM = 1
"""Which of our own two sounds the system's is, for a recording; the voice is 0."""
_SILENCE = np.zeros(STEP, np.int16)

Fault = Callable[[str, str, str], None]
Said = Callable[[], float | None]


def _say_nothing() -> float | None:
    return None


class Voice(Protocol):
    """What a peer says."""

    def pull(self) -> Samples | None:
        """The next 480 samples, None for silence."""
        ...

    @property
    def delay_s(self) -> float:
        """How long what is pulled has waited here."""
        ...


class AudioEngine:
    """Sound in and out. Every method is thread-safe; the callbacks come from the engine's thread.

    `packet(payload, timestamp48k)`: an Opus packet of 20 ms; the timestamp is modulo 2**32.
    `levels` gets (peer or SELF, loudness 0 to 1, speaks). `fault(kind, code, words)` is as in
    `media_port.DeviceFault`. `encoder` makes another encoder than Opus, for tests.
    `record(peer or SELF, samples, at_ns, stream)` gets what each says, before volumes, and when
    the first sample was taken by the monotonic clock, but for the way through the network.
    """

    def __init__(
        self,
        *,
        packet: Callable[[bytes, int], None],
        levels: Callable[[list[tuple[bytes, float, bool]]], None],
        fault: Fault,
        use_devices: bool,
        encoder: Callable[[], Encoder] | None = None,
        record: Callable[[bytes, Samples, int, int], None] | None = None,
    ) -> None:
        self._levels = levels
        self._record = record
        self._use_devices = use_devices
        self._fault = fault
        self._plan = AudioPlan()
        self._applied: AudioPlan | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._voices: dict[tuple[bytes, int], tuple[Voice, Level, Said]] = {}
        self._volumes: dict[bytes, float] = {}
        self._out = VoiceOut(
            packet, encoder or make_encoder, make_music=encoder or make_music_encoder
        )
        self._system = SystemSound()
        self._recorded = -_STALLED_STEPS
        self._voice_level = _NO_VOICE
        self._processing = Processing()
        self._own = OwnSound(fault)
        self._own_level = Level()
        self._limiter = Limiter()
        self._melody: Melody | None = None
        self._tone: Tone | None = None
        self._cue: Cue | None = None
        self._microphone = Keeper(self._make_microphone, "microphone", fault)
        self._speaker = Keeper(self._make_speaker, "speaker", fault)
        self._steps = 0
        self._late = self._wait = 0.0
        self._low_ms = _LOW_MS
        self._underruns = 0
        self._shown = False
        self._thread: threading.Thread | None = None

    # --- from any thread

    @property
    def echo_canceller(self) -> str:
        """What cleans the microphone now: ``livekit``, ``speex`` or empty."""
        return self._processing.name

    @property
    def playback_ms(self) -> float:
        """Sound that was mixed and waits to be played, as far as it can be measured."""
        speaker = self._speaker.port
        return 0.0 if speaker is None else speaker.depth / 48 + speaker.device_ms

    @property
    def capture_ms(self) -> float:
        """Sound that was recorded and waits to be encoded, as far as it can be measured."""
        microphone = self._microphone.port
        return 0.0 if microphone is None else microphone.depth / 48 + microphone.device_ms

    @property
    def voice_level(self) -> int | None:
        """So many dB below full scale is the voice in the packet that is given away now; None
        while there is nothing else in it."""
        return self._voice_level if self._out.shares else None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def set_plan(self, plan: AudioPlan) -> None:
        """Replace the plan. If it is closed, nothing recorded leaves after this returns."""
        with self._lock:
            self._plan = plan
            self._out.open(plan.open)
        self._wake.set()

    def share(self, shares: bool) -> None:
        """Send what the computer plays too, whether or not the microphone is open. Once this
        returns after stopping, nothing of it leaves; without devices there is nothing."""
        if not self._use_devices:
            return
        with self._lock:
            self._out.share(shares)
            if shares:
                self._system.start()
            else:
                self._system.stop()

    def add_voice(self, peer: bytes, stream: Voice, said_db: Said = _say_nothing) -> None:
        """Play `stream` too; a peer may have two for a moment. `said_db`: how loud its voice is,
        in dB of full scale, where something else is in its sound."""
        with self._lock:
            self._voices = self._voices | {(peer, id(stream)): (stream, Level(), said_db)}

    def remove_voice(self, peer: bytes, stream: Voice) -> None:
        """Play `stream` no longer; one that is not played is no error."""
        with self._lock:
            gone = (peer, id(stream))
            self._voices = {key: voice for key, voice in self._voices.items() if key != gone}

    def set_volume(self, peer: bytes, volume: float) -> None:
        """How loud a peer is, 0 to 2; it stays when its streams change."""
        with self._lock:
            self._volumes = self._volumes | {peer: min(max(volume, 0.0), 2.0)}

    def set_loss(self, percent: float) -> None:
        """What gets lost on the way to the others: the encoder adds as much redundancy."""
        self._out.set_loss(percent)

    def close(self) -> None:
        """Close the devices and end the thread; waits for it, at most two seconds."""
        self._out.open(False)
        self.share(False)
        self._closed = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2.0)

    # --- in the engine's thread

    def _run(self) -> None:
        hurry()
        due = time.monotonic()
        while not self._closed:
            now = time.monotonic()
            if now < due:
                self._wake.wait(due - now)
                self._wake.clear()
                self._take_recorded()
                continue
            self._take_recorded()
            self._step(now, due)
            due += STEP_S + self._late + self._wait
            self._wait = 0.0
            if now - due > _LATE_S:
                due = now
        self._microphone.want(None)
        self._speaker.want(None)
        self._own.close()

    def _make_microphone(self, wanted: str) -> Microphone:
        self._processing.restart()
        return Microphone(wanted, self._wake.set)

    def _make_speaker(self, wanted: str) -> Speaker:
        return Speaker(wanted, self._processing.hear, self._processing.slip)

    def _step(self, now: float, due: float) -> None:
        self._steps += 1
        plan = self._plan
        if plan != self._applied:
            self._apply(plan)
        if self._use_devices:
            self._microphone.look(now)
            self._speaker.look(now)
        self._play(plan, due)
        if plan.open and plan.source in ("test", "file"):
            self._take_own(self._own.pull(now), due)
        elif self._stands_in():
            self._send(None)
        self._out.keep_alive(now)
        if self._steps % _LEVEL_STEPS == 0:
            self._tell_levels()
        if self._steps % _REGULATE_STEPS == 0:
            self._regulate()

    def _apply(self, plan: AudioPlan) -> None:
        before, self._applied = self._applied or AudioPlan(), plan
        use = self._use_devices
        records = plan.open and plan.source == "device"
        self._microphone.want(plan.source_id if records and use else None)
        self._apply_sounds(plan, before)
        if not (plan.sink == "none" and self._cue is not None):  # it closes when the cue is over
            self._want_speaker(plan)
        if not use and records:
            self._fault("microphone", "none", "This computer takes part without its devices.")
        self._processing.set_wanted(
            Wanted(plan.echo_cancellation, plan.noise_suppression, plan.gain_control)
            if records and use
            else Wanted(echo=False, noise=False, gain=False)
        )
        self._own.use(plan)
        if not plan.open:
            self._own_level.reset()
        if plan.test_sound and not before.test_sound:
            self._melody = Melody()
        elif not plan.test_sound:
            self._melody = None

    def _apply_sounds(self, plan: AudioPlan, before: AudioPlan) -> None:
        if plan.tone != before.tone:
            self._tone = Tone(plan.tone) if plan.tone else None
        # A new process does not play what the one before has played.
        if plan.cues != before.cues and plan.cue:
            self._cue = Cue(plan.cue) if self._speaker.port is not None else None

    def _want_speaker(self, plan: AudioPlan) -> None:
        use = plan.sink == "device" and self._use_devices
        self._speaker.want(plan.sink_id if use else None)

    def _take_recorded(self) -> None:
        microphone, plan = self._microphone.port, self._plan
        if microphone is None or not (plan.open and plan.source == "device"):
            return
        taken_s = time.monotonic() - self.capture_ms / 1000
        while (recorded := microphone.pull(STEP)) is not None:
            delay_ms = int(self.playback_ms + self.capture_ms)
            cleaned = self._processing.clean(recorded, min(delay_ms, 500))
            if not (self._stands_in() and microphone.depth >= STEP):
                self._take_own(cleaned, taken_s)
                self._recorded = self._steps
            # Else silence was sent in its place.
            taken_s += STEP_S

    def _take_own(self, samples: Samples | None, taken_s: float) -> None:
        self._own_level.take(samples)
        if samples is not None:
            if self._record is not None:
                self._record(SELF, samples, int(taken_s * 1e9), 0)
            self._own.heard(samples)
        if samples is not None or self._out.shares:
            self._send(samples)

    def _stands_in(self) -> bool:
        """Whether system sound is sent without a microphone."""
        return self._out.shares and self._steps - self._recorded >= _STALLED_STEPS

    def _send(self, voice: Samples | None) -> None:
        self._voice_level = _NO_VOICE if voice is None else round(-self._own_level.db)
        system = self._system.pull() if self._out.shares else None
        if system is not None and self._record is not None:
            at_s = time.monotonic() - self._system.delay_s
            self._record(SELF, system, int(at_s * 1e9), _SYSTEM)
        self._out.take(voice, system)

    def _play(self, plan: AudioPlan, due: float) -> None:
        parts = []
        for (peer, stream), (voice, level, said_db) in self._voices.items():
            samples = voice.pull()
            level.take(samples, said_db())
            if samples is not None:
                if self._record is not None:
                    self._record(peer, samples, _said_ns(due, voice), stream)
                parts.append((samples, self._volumes.get(peer, 1.0)))
        for sound in (self._own.echo() if plan.loopback else None, *self._pull_sounds(plan)):
            if sound is not None:
                parts.append((sound, 1.0))
        played = self._limiter.process(mix(parts)) if parts else _SILENCE
        if not parts:
            self._limiter.rest()
        if self._speaker.port is not None:
            self._speaker.port.write(played)

    def _pull_sounds(self, plan: AudioPlan) -> list[Samples | None]:
        sounds = [each.pull() for each in (self._melody, self._tone, self._cue) if each is not None]
        if self._cue is not None and sounds[-1] is None:
            self._cue = None
            self._want_speaker(plan)
        return sounds

    def _tell_levels(self) -> None:
        rows: dict[bytes, tuple[float, bool]] = {}
        heard = self._own_level.is_heard
        rows[SELF] = self._own_level.loudness, self._own_level.speaks
        for (peer, _), (_, level, _) in self._voices.items():
            loudness, speaks = rows.get(peer, (0.0, False))
            rows[peer] = max(loudness, level.loudness), speaks or level.speaks
            heard = heard or level.is_heard
        if heard or self._shown:  # once more when all are silent, so that no name stays lit
            self._shown = heard
            self._levels([(peer, *row) for peer, row in rows.items()])

    def _regulate(self) -> None:
        """Stay close behind the device: later when much waits in it, sooner when little does."""
        speaker = self._speaker.port
        low = None if speaker is None else speaker.take_low_ms()
        if speaker is None or low is None:
            self._late = 0.0
            return
        dry, self._underruns = speaker.underruns > self._underruns, speaker.underruns
        settled = time.monotonic() - speaker.opened_at > _SETTLE_S
        self._low_ms += _DRY_MS if dry and settled else -_CALM_MS
        self._low_ms = min(max(self._low_ms, _LOW_MS), _MOST_LOW_MS)
        over = low - self._low_ms
        self._late = min(max(over / 1000 / _REGULATE_STEPS / 2, -STEP_S / 50), STEP_S / 50)
        if over > STEP_S * 1000:  # far behind the device: wait once, which nobody hears
            self._wait = (over // 10) * STEP_S
            speaker.take_low_ms()


def _said_ns(due: float, voice: Voice) -> int:
    """When a peer said what is pulled in the step that was due then, but for the network.

    Steps are regular, and one that is late does not move the sound. A packet came when its last
    sample had been said.
    """
    return int((due - voice.delay_s - PACKET / RATE) * 1e9)
