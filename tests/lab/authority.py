"""A certificate authority of a test, and servers' certificates of any time by it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LONG = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
PAST = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC))
FUTURE = (datetime(2099, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class Authority:
    """Signs certificates for 127.0.0.1. `path` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
        builder = self._builder(self._key, self._name, LONG).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server(
        self, host: str = "127.0.0.1", times: tuple[datetime, datetime] = LONG
    ) -> ssl.SSLContext:
        """What a server of that address needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(key, x509.Name([]), times).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=True
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        path = self._folder / f"{host}-{times[0].year}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(
        self,
        key: ec.EllipticCurvePrivateKey,
        name: x509.Name,
        times: tuple[datetime, datetime],
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(times[0])
            .not_valid_after(times[1])
        )
