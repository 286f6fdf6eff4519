"""Writes the golden vectors of `SIGNALING.md`: run it only when those words change on purpose.

From the top folder: `PYTHONPATH=app:tests python tests/vectors/make_signaling_vectors.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders.describing import describe
from builders.writers import seed
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import signaling as s
from folkmoot.protocol.keys import Signer

HERE = Path(__file__).parent
ANN, BOB = Signer(seed("device", "ann", 0)), Signer(seed("device", "bob", 0))
ANN_DEVICE, BOB_DEVICE = DeviceId(ANN.public), DeviceId(BOB.public)
ORIGIN = "wss://talk.example.org"
SERVER, NONCE = seed("server"), seed("nonce")
TAG = s.rendezvous_tag(seed("secret"), ORIGIN)
MAIL = seed("mail")[:16]
UNTIL_S = 2_000_000_000


def messages() -> list[dict[str, Any]]:
    signature = ANN.sign(s.LABEL_LOGIN, s.login_bytes(SERVER, ORIGIN, NONCE))
    resume = seed("resume")[:16]
    turn = s.Turn(("turn:turn.example.org:3478",), "1700000000:ann", "c2VjcmV0", 21600)
    grant = s.make_grant(BOB, ANN_DEVICE, UNTIL_S)
    cases: list[s.Control] = [
        s.Hello(1, SERVER, NONCE, s.Limits(16384, 4000, 4194304, 64, 256, 1048576, 86400)),
        s.Ready("ey.ey.ab", 900, resume, 8480, turn, True),
        s.Ready("", 900, resume, 0, s.Turn()),
        s.Room(TAG, (ANN_DEVICE, BOB_DEVICE)),
        s.Came(TAG, BOB_DEVICE),
        s.Went(TAG, BOB_DEVICE),
        s.Gone(BOB_DEVICE),
        s.Restarting(3000, "wss://talk2.example.org"),
        s.Error("too_fast", "Too many frames.", 250),
        s.Challenge(NONCE),
        s.Renewed("ey.ey.ab", 900, turn),
        s.Mail(MAIL, b"sealed"),
        s.Kept(MAIL, 0, "mail_full"),
        s.Login(1, ANN_DEVICE, ORIGIN, signature, resume),
        s.Enter((TAG, seed("tag")[:16])),
        s.Leave((TAG,)),
        s.Renew(),
        s.Prove(signature),
        s.Put(MAIL, BOB_DEVICE, grant, 3600, b"sealed"),
        s.Taken((MAIL,)),
    ]
    return [
        {
            "name": type(message).__name__,
            "from_server": isinstance(message, s.FROM_SERVER),
            "fields": describe(message),
            "bytes": s.write_control(message).hex(),
        }
        for message in cases
    ]


def made() -> dict[str, Any]:
    frame = s.write_relay(BOB_DEVICE, b"payload", 3)
    return {
        "messages": messages(),
        "relay": {
            "device": BOB_DEVICE.hex(),
            "flags": 3,
            "payload": b"payload".hex(),
            "bytes": frame.hex(),
        },
        "login": {
            "seed": seed("device", "ann", 0).hex(),
            "server": SERVER.hex(),
            "origin": ORIGIN,
            "nonce": NONCE.hex(),
            "signed": s.login_bytes(SERVER, ORIGIN, NONCE).hex(),
            "signature": ANN.sign(s.LABEL_LOGIN, s.login_bytes(SERVER, ORIGIN, NONCE)).hex(),
        },
        "tag": {"key": seed("secret").hex(), "origin": ORIGIN, "tag": TAG.hex()},
        "grant": {
            "seed": seed("device", "bob", 0).hex(),
            "sender": ANN_DEVICE.hex(),
            "until_s": UNTIL_S,
            "bytes": s.make_grant(BOB, ANN_DEVICE, UNTIL_S).hex(),
        },
    }


def main() -> None:
    """Write the file beside this script."""
    text = json.dumps(made(), indent=1, ensure_ascii=False)
    (HERE / "signaling.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
