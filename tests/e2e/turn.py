"""A real coturn on the server of the homes, with the credentials that a signaling server makes."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from e2e.nat import SERVER, Homes
from e2e.nodes import ROOT

SECRET = "a secret of this test, long enough for it"
PORT = 3478
_OTHER = frozenset(
    {"static-auth-secret", "pidfile", "syslog", "cert", "pkey", "tls-listening-port"}
)
"""What is said otherwise here."""


@contextlib.contextmanager
def coturn(
    homes: Homes, folder: Path, *more: str, secret: str = SECRET
) -> Iterator[subprocess.Popen[bytes]]:
    """Run it until the end of the block, with the configuration that is in the tree. `more`: lines
    for its file."""
    folder.mkdir(parents=True, exist_ok=True)
    template = (ROOT / "packaging/signaling/turnserver.conf").read_text().splitlines()
    kept = [line for line in template if line and line.partition("=")[0] not in _OTHER]
    lines = [
        f"listening-ip={SERVER}",
        f"relay-ip={SERVER}",
        f"static-auth-secret={secret}",
        f"pidfile={folder / 'coturn.pid'}",
        f"log-file={folder / 'coturn.log'}",
        *("no-tls", "no-dtls"),
        *more,
    ]
    file = folder / "turnserver.conf"
    file.write_text("\n".join((*kept, *lines)) + "\n")
    command = [*homes.inside("server"), "turnserver", "-c", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_port(homes, process)
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


def _wait_for_port(homes: Homes, process: subprocess.Popen[bytes]) -> None:
    """Until it takes connections, in its namespace."""
    program = f"import socket; socket.create_connection(('{SERVER}', {PORT}), 1).close()"
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert process.poll() is None, "coturn ended"
        tried = subprocess.run(
            [*homes.inside("server"), "python3", "-c", program], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return
        time.sleep(0.05)
    raise TimeoutError("coturn does not listen")
