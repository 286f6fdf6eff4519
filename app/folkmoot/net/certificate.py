"""The throwaway TLS certificate of a listener, and the TLS settings of both sides.

The certificate says nothing: no name, no real date, a key that lives as long as the process. TLS is
here for secrecy only. Who is who is proved inside, by device keys that sign over the certificate's
hash (`Stream.binding`); so neither side verifies the other's certificate, on purpose.
Refuses: any version but TLS 1.3, tickets, resumption, early data.
"""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from folkmoot.domain.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class ListenerIdentity:
    """What a listener shows: TLS context with certificate, and SHA-256 of that certificate.

    QUIC takes certificate and key as they are.
    """

    context: ssl.SSLContext
    binding: bytes
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_listener_identity() -> ListenerIdentity:
    """Make key and certificate. Blocks for some 10 ms: call it in a thread.

    Raises `EnvironmentFault` ``no_temporary_files``: OpenSSL reads keys from files only. The file
    is encrypted under a passphrase that exists in memory only, and gone at once.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    nobody = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(nobody)
        .issuer_name(nobody)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    passphrase = secrets.token_hex(32).encode()
    pem = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    ) + certificate.public_bytes(Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _only_tls_1_3(context)
    context.num_tickets = 0
    try:
        with TemporaryDirectory(prefix="folkmoot-") as folder:
            path = Path(folder) / "listener.pem"
            path.write_bytes(pem)
            context.load_cert_chain(path, password=passphrase)
    except OSError as fault:
        raise EnvironmentFault(
            "no_temporary_files",
            f"The folder for temporary files cannot be written: {fault.strerror or fault}.",
            "Others cannot connect until it can. Free some space there, then start again.",
        ) from fault
    binding = sha256(certificate.public_bytes(Encoding.DER)).digest()
    return ListenerIdentity(context, binding, certificate, key)


def make_dialler_context() -> ssl.SSLContext:
    """TLS settings of a dialler: any certificate will do, none is sent, no name is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    _only_tls_1_3(context)
    return context


def _only_tls_1_3(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_NONE
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
