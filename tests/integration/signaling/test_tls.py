"""TLS of the server's own: which versions it speaks, and a certificate changed under way."""

from __future__ import annotations

import asyncio
import datetime
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from folkmoot.protocol import signaling as words
from folkmoot_signaling.tls import ServerTls
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand, signal_command


def make_certificate(folder: Path, name: str) -> None:
    """Write `cert.pem` and `key.pem` for localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_certificate(tmp_path, "first")
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[SignalCommand]:
    file = folder / "signaling.toml"
    file.write_text('tls_cert = "cert.pem"\ntls_key = "key.pem"\n')
    with signal_command("--config", str(file)) as one:
        yield one


def _client(
    folder: Path, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
) -> ssl.SSLContext:
    """Trusts exactly the certificate that is in the folder now."""
    context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    if newest < ssl.TLSVersion.TLSv1_2 and newest > 0:
        context.minimum_version = newest
    context.maximum_version = newest
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def _name(server: SignalCommand, context: ssl.SSLContext, *, sni: bool = True) -> str:
    """Connect and give the name in the certificate."""
    host, _, port = server.listen[0].rpartition(":")
    if not sni:
        context.check_hostname = False
    reader, writer = await asyncio.open_connection(
        host, int(port), ssl=context, server_hostname="localhost" if sni else ""
    )
    try:
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        found = writer.get_extra_info("ssl_object").getpeercert()
        return str(dict(part[0] for part in found["subject"])["commonName"])
    finally:
        writer.close()


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated")
async def test_it_speaks_tls_12_and_13_and_nothing_older(
    server: SignalCommand, folder: Path
) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert await _name(server, _client(folder, version)) == "first"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await _name(server, _client(folder, ssl.TLSVersion.TLSv1_1))


async def test_a_new_certificate_is_taken_and_connections_stay(
    server: SignalCommand, folder: Path
) -> None:
    import aiohttp

    place = f"localhost:{server.listen[0].rpartition(':')[2]}"
    connector = aiohttp.TCPConnector(ssl=_client(folder))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect(f"https://{place}/signal") as socket,
    ):
        client = SignalClient(f"wss://{place}")
        client._socket = socket
        client.hello = await client.wait(words.Hello)
        await client.login()
        make_certificate(folder, "second")
        trusts_second = _client(folder)
        server.tell(signal.SIGHUP)
        while True:
            try:
                assert await _name(server, trusts_second) == "second"
                break
            except ssl.SSLCertVerificationError:
                await asyncio.sleep(0.02)
        assert await _name(server, trusts_second, sni=False) == "second"
        # The connection of before is still served.
        await client.settle()


async def test_a_bad_certificate_is_told_in_the_log_and_the_good_one_kept(
    server: SignalCommand, folder: Path
) -> None:
    context = _client(folder)
    (folder / "cert.pem").write_text("nonsense")
    server.tell(signal.SIGHUP)
    assert await _name(server, context) == "first"
    server.tell(signal.SIGTERM)
    status, lines = await server.ended()
    assert status == 0
    (told,) = [line for line in lines if line["level"] == "error"]
    assert told["event"] == "the certificate was not taken"
    assert "cert.pem" in told["reason"]


def test_older_versions_are_forbidden_whatever_the_library_allows(folder: Path) -> None:
    context = ServerTls(folder / "cert.pem", folder / "key.pem").context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_do_not_fit_together_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_certificate(other, "other")
    with pytest.raises(Exception, match=r"cert.pem with the key .*other/key.pem cannot be used"):
        ServerTls(folder / "cert.pem", other / "key.pem")


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(folder: Path) -> None:
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    hidden = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (folder / "key.pem").write_bytes(hidden)
    with pytest.raises(Exception, match="cannot be used"):
        ServerTls(folder / "cert.pem", folder / "key.pem")
