"""Sealed envelopes: RFC 9180 to the byte, opened by one device only, refused if changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from builders.hpke import seal
from folkmoot.domain.errors import PeerError
from folkmoot.net.sealing import OVERHEAD_BYTES, HpkeSealer
from folkmoot.protocol.keys import seal_public
from folkmoot.services.signaling_port import Sealer

SEALER: Sealer = HpkeSealer()
SEED = bytes(range(32))
INFO = b"folkmoot/mail/1\0" + bytes(32)

# RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base, sequence 0
RFC_INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
RFC_SK_E = bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
RFC_PK_R = bytes.fromhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
RFC_SK_R = bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
RFC_ENC = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
RFC_TEXT = b"Beauty is truth, truth beauty"
RFC_AAD = b"Count-0"
RFC_CT = bytes.fromhex(
    "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
)


def test_the_written_out_form_gives_the_vector_of_the_rfc() -> None:
    assert seal(RFC_SK_E, RFC_PK_R, RFC_INFO, RFC_TEXT, RFC_AAD) == RFC_ENC + RFC_CT


def test_what_the_rfc_seals_is_opened() -> None:
    """The vector itself has associated data, which we never use: the same keys without it."""
    sealed = seal(RFC_SK_E, RFC_PK_R, RFC_INFO, RFC_TEXT)
    assert sealed.startswith(RFC_ENC)
    assert SEALER.open(RFC_SK_R, RFC_INFO, sealed) == RFC_TEXT
    with pytest.raises(PeerError, match="not sealed to us"):
        SEALER.open(RFC_SK_R, RFC_INFO, RFC_ENC + RFC_CT)


@pytest.mark.parametrize("size", [0, 1, 49_152 - OVERHEAD_BYTES])
def test_what_is_sealed_is_opened_and_48_bytes_longer(size: int) -> None:
    text = bytes(size)
    sealed = SEALER.seal(seal_public(SEED), INFO, text)
    assert len(sealed) == size + OVERHEAD_BYTES
    assert SEALER.open(SEED, INFO, sealed) == text


def test_the_same_text_is_sealed_differently_each_time() -> None:
    once, again = (SEALER.seal(seal_public(SEED), INFO, b"text") for _ in range(2))
    assert once[:32] != again[:32]
    assert once[32:] != again[32:]


def test_no_flipped_bit_is_taken() -> None:
    sealed = SEALER.seal(seal_public(SEED), INFO, b"text")
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PeerError) as caught:
            SEALER.open(SEED, INFO, bytes(changed))
        assert caught.value.code == "bad_seal"


@pytest.mark.parametrize("length", range(52))
def test_nothing_cut_short_is_taken(length: int) -> None:
    sealed = SEALER.seal(seal_public(SEED), INFO, b"text")
    assert len(sealed) == 52
    with pytest.raises(PeerError):
        SEALER.open(SEED, INFO, sealed[:length])


def test_it_opens_for_no_other_device_and_under_no_other_info() -> None:
    sealed = SEALER.seal(seal_public(SEED), INFO, b"text")
    for seed, info in ((bytes(32), INFO), (SEED, INFO[:-1] + b"\x01"), (SEED, b"")):
        with pytest.raises(PeerError) as caught:
            SEALER.open(seed, info, sealed)
        assert caught.value.code == "bad_seal"


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31)])
def test_a_key_to_which_nothing_can_be_sealed_is_refused(key: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        SEALER.seal(key, INFO, b"text")
    assert caught.value.code == "bad_key"


def test_the_library_is_imported_only_when_something_is_sealed() -> None:
    code = (
        "import sys; from folkmoot.net.sealing import HpkeSealer; HpkeSealer();"
        "sys.exit('cryptography' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, env=environment, timeout=20, check=False).returncode == 0
