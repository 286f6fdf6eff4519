"""TLS of the server's own: version 1.2 or newer, and a certificate that can be changed under way.

Refuses files that do not fit together when it starts; later it keeps the good ones it has.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from folkmoot.domain.errors import UserError


class ServerTls:
    """The certificate in two files. New connections get the newest that could be read."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files; blocking. Raises UserError ``bad_certificate``."""
        self._files = (certificate, key)
        self._newest = self._read()
        self.context = self._newest
        # Asked at each handshake, with or without a name in it.
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read the files again; blocking. Raises UserError ``bad_certificate``, and then those
        connections that come go on getting the certificate of before."""
        self._newest = self._read()

    def _choose(self, connection: ssl.SSLObject, _name: str, _first: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        certificate, key = self._files
        try:
            # Without a password that is asked for at a terminal.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error
            raise UserError(
                "bad_certificate",
                f"The certificate {certificate} with the key {key} cannot be used: {reason}.",
                "tls_cert names a PEM file with the whole chain, tls_key one with its key, without "
                "a password; both must be readable by the user that runs the server.",
            ) from error
        return context
