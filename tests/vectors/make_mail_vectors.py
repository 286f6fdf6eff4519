"""Writes the golden vectors of sealed mail: run it only when an envelope changes on purpose.

From the top folder: `PYTHONPATH=app:tests python tests/vectors/make_mail_vectors.py`. The text of
an envelope is always the same; the seal is, because its ephemeral key is given.
"""

from __future__ import annotations

import json
from pathlib import Path

from builders.hpke import seal
from builders.writers import Writer, seed
from folkmoot.domain.bodies import Channel, MessageBody
from folkmoot.protocol.frames import encode
from folkmoot.protocol.keys import seal_public
from folkmoot.protocol.mail import mail_info, segment_of, write_mail

HERE = Path(__file__).parent


def main() -> None:
    """Write the file beside this script."""
    ann, bob = Writer("ann"), Writer("bob")
    team = ann.found()
    channel = ann.write(team.log.conversation, team.id, Channel("general"))
    ann.write(channel.id, team.id, MessageBody("Hello Bob"))
    seal_seed = seed("seal", "bob", 0)
    cases = []
    for name, count in (("a genesis", 1), ("three logs", 3)):
        segments = [segment_of(log, entries) for log, entries in list(ann.logs.items())[:count]]
        text, ephemeral = write_mail(segments), seed("ephemeral", name)
        info = mail_info(bob.device)
        cases.append(
            {
                "name": name,
                "segments": [encode(segment).hex() for segment in segments],
                "text": text.hex(),
                "recipient": bob.device.hex(),
                "info": info.hex(),
                "seal_seed": seal_seed.hex(),
                "ephemeral": ephemeral.hex(),
                "sealed": seal(ephemeral, seal_public(seal_seed), info, text).hex(),
            }
        )
    (HERE / "mail.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
