"""Why a server is not reached, in words.

Refuses to show what a server said: only its codes count.
"""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import dataclass

from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.servers import ServerUrl
from folkmoot.protocol.signaling import Error

_NOT_YET_VALID, _EXPIRED = 9, 10
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
MAX_RETRY_S = 600.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why, and how long to wait at least before the next attempt."""

    code: str
    words: str
    hint: str = ""
    retry_s: float = 0.0


_NETWORK = {
    errno.ECONNREFUSED: "No program listens there.",
    errno.EHOSTUNREACH: "There is no way to it.",
    errno.ENETUNREACH: "This computer has no network that leads there.",
    errno.ECONNRESET: "It broke the connection.",
    errno.ETIMEDOUT: "It does not answer.",
}
_STOPPED = "It may be stopped for the moment. If it stays so, check the address, or ask its host."
_SAID = {
    "bad_login": "it did not accept the login",
    "foreign_origin": "it says that it has another address",
    "bad_version": "it speaks another version",
    "replaced": "a computer with the same keys has connected instead",
    "expired": "the login was not renewed in time",
    "too_many_connections": "it has too many connections",
    "too_many_logins": "it has too many logins",
    "too_fast": "too much was sent",
    "too_slow": "this computer reads too slowly",
    "busy": "it is busy",
}
_HINTS = {
    "foreign_origin": "Write its address as its host wrote it to you.",
    "bad_version": "Folkmoot or the server has to be updated.",
    "replaced": "Do not run Folkmoot on two computers with a copy of the same profile.",
}


def explain(fault: BaseException, url: ServerUrl) -> Failure | None:
    """Words for what happened on the way; None: it is not for words (a bug, a cancellation)."""
    if isinstance(fault, ssl.SSLError):
        return _explain_tls(fault, url)
    if isinstance(fault, (InvalidProxy, ProxyError, ImportError)):
        return Failure(
            "proxy",
            "The proxy of this network does not let Folkmoot through to the server.",
            "Ask who runs the network, or change the proxy in the settings of this computer.",
        )
    if isinstance(fault, InvalidStatus):
        return _explain_status(fault, url)
    if isinstance(fault, (InvalidHandshake, InvalidURI, PeerError, EOFError)):
        return _not_a_server(url)
    if isinstance(fault, EnvironmentFault):
        return Failure(fault.code, fault.message, fault.hint)
    if isinstance(fault, (TimeoutError, OSError)):
        return Failure(
            "unreachable",
            _reason(fault),
            _STOPPED if isinstance(fault, ConnectionRefusedError) else "Check address and network.",
        )
    return None


def explain_error(error: Error) -> Failure:
    """Words for what the server gave as its reason."""
    reason = _SAID.get(error.code, "it gave no reason that is known")
    retry_s = min(error.retry_after_ms / 1000, MAX_RETRY_S) or 30.0
    return Failure(
        "refused", f"The server ended it: {reason}.", _HINTS.get(error.code, ""), retry_s
    )


def same_server(url: ServerUrl, other: ServerUrl) -> Failure:
    """Words for a server that is in the list under two addresses."""
    return Failure(
        "same_server",
        f"{url.host} is the same server as {other}, which is used.",
        "Remove one of the two addresses.",
    )


def _explain_tls(fault: ssl.SSLError, url: ServerUrl) -> Failure:
    if not isinstance(fault, ssl.SSLCertVerificationError):
        return Failure(
            "not_a_server",
            f"What answers at {url.place} does not speak TLS as it should.",
            "If the server has no certificate, its address begins with ws://.",
        )
    if fault.verify_code in (_NOT_YET_VALID, _EXPIRED):
        when = "not valid yet" if fault.verify_code == _NOT_YET_VALID else "no longer valid"
        return Failure(
            "clock",
            f"By the clock of this computer the certificate of {url.host} is {when}.",
            "Check date and time of this computer. If they are right, its host must renew it.",
        )
    return Failure(
        "bad_certificate",
        f"The certificate of {url.host} is not one that this computer trusts.",
        "Somebody may be listening in, or the server is set up wrongly. Ask its host.",
    )


def _explain_status(fault: InvalidStatus, url: ServerUrl) -> Failure:
    status = fault.response.status_code
    if status == 407:
        return Failure("proxy", "The proxy of this network asks for a name and a password.")
    if status not in (403, 429, 503):
        return _not_a_server(url)
    after = fault.response.headers.get("Retry-After", "")
    retry_s = float(after) if after.isascii() and after.isdigit() and len(after) < 6 else 5.0
    return Failure(
        "refused",
        f"{url.host} takes no more connections now.",
        "It is tried again by itself.",
        min(retry_s, MAX_RETRY_S),
    )


def _not_a_server(url: ServerUrl) -> Failure:
    return Failure(
        "not_a_server",
        f"What answers at {url.place} is not a signaling server of Folkmoot.",
        "Check the address.",
    )


def _reason(fault: BaseException) -> str:
    if isinstance(fault, socket.gaierror):
        return "No computer of that name is known here."
    if isinstance(fault, TimeoutError):
        return _NETWORK[errno.ETIMEDOUT]
    return _NETWORK.get(getattr(fault, "errno", None) or 0, _NETWORK[errno.EHOSTUNREACH])
