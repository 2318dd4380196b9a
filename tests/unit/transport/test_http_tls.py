"""Servers that cannot prove who they are get nothing; those that can are spoken to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.errors import BridgeError, ConfigError, Delivery, UnavailableError
from rpa_bridge.transport.base import Effect, Request

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Loopback, Serve

pytest.importorskip("cryptography", reason="certificates for these tests are made with it; keyring brings it on Linux")

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

SECRET = "s3cret-in-a-header"
REQUEST = Request(
    "POST", "/", effect=Effect.BLIND, operation="login", signed=False, headers={"token": SECRET}, form={"key": SECRET}
)
NOW = datetime.now(UTC)
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def files(self, folder: Path, name: str) -> tuple[Path, Path]:
        """The certificate and the key as PEM files."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key


def issue(host: str, *, by: Identity | None = None, authority: bool = False, until: datetime = NOW + YEAR) -> Identity:
    """A certificate for an address or a name, signed by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    names: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    signer = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject if by else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 2 * YEAR)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return Identity(builder.sign(signer, SHA256()), key)


def served_with(identity: Identity, folder: Path, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*identity.files(folder, "server"))
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


async def answering(serve: Serve, context: ssl.SSLContext) -> Loopback:
    server = await serve(lambda exchange: exchange.reply(), context)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # handshakes are meant to fail
    return server


AUTHORITY = issue("authority.example", authority=True)
STRANGER = issue("stranger.example", authority=True)
UNTRUSTED: dict[str, Callable[[], Identity]] = {
    "signed by itself": lambda: issue("127.0.0.1"),
    "signed by a stranger": lambda: issue("127.0.0.1", by=STRANGER),
    "for another host": lambda: issue("other.example", by=AUTHORITY),
    "expired": lambda: issue("127.0.0.1", by=AUTHORITY, until=NOW - YEAR),
}


@pytest.mark.parametrize("identity", UNTRUSTED.values(), ids=UNTRUSTED.keys())
@pytest.mark.parametrize("with_authority", [False, True], ids=["machine's trust", "ca_file"])
async def test_a_server_that_cannot_prove_who_it_is_gets_not_one_byte(
    serve: Serve, connect: Connect, tmp_path: Path, *, identity: Callable[[], Identity], with_authority: bool
) -> None:
    server = await answering(serve, served_with(identity(), tmp_path))
    options = {"ca_file": AUTHORITY.files(tmp_path, "authority")[0]} if with_authority else {}
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:\d+ is not trusted; set http\.ca_file") as caught:
        await connect(server.url, **options).send(REQUEST)
    assert (server.bytes_received, server.seen) == (0, [])
    assert SECRET not in repr(caught.value)
    assert caught.value.__context__ is None


async def test_tls_before_1_2_gets_not_one_byte(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    trusted = issue("127.0.0.1", by=AUTHORITY)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context = served_with(trusted, tmp_path, ssl.TLSVersion.TLSv1_1)
    server = await answering(serve, context)
    with pytest.raises(BridgeError):
        await connect(server.url, ca_file=AUTHORITY.files(tmp_path, "authority")[0]).send(REQUEST)
    assert server.bytes_received == 0


@pytest.mark.parametrize("effect", [Effect.READ, Effect.BLIND])
@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
async def test_an_authority_that_the_settings_name_is_trusted(
    serve: Serve, connect: Connect, tmp_path: Path, *, effect: Effect, scheme: str
) -> None:
    server = await answering(serve, served_with(issue("127.0.0.1", by=AUTHORITY), tmp_path))
    http = connect(server.url.replace("https", scheme), ca_file=AUTHORITY.files(tmp_path, "authority")[0])
    answer = await http.send(Request("GET", "/", effect=effect, operation="t", signed=False))
    assert answer.status == 200


async def test_a_certificate_signed_by_itself_is_accepted_when_the_settings_name_it(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    own = issue("127.0.0.1")
    server = await answering(serve, served_with(own, tmp_path))
    with pytest.raises(ConfigError):
        await connect(server.url).send(REQUEST)
    assert server.bytes_received == 0
    assert (await connect(server.url, ca_file=own.files(tmp_path, "own")[0]).send(REQUEST)).status == 200
    assert server.seen[0].headers["token"] == SECRET


@pytest.mark.parametrize("content", [None, b"", b"not PEM", b"\xff\xfe\x00"], ids=["missing", "empty", "text", "bytes"])
async def test_a_ca_file_that_cannot_be_read_is_named(connect: Connect, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"http\.ca_file .*ca\.pem cannot be read as PEM"):
        await connect("https://127.0.0.1:1", ca_file=file).send(REQUEST)


async def test_a_server_without_tls_is_not_sent_anything(connect: Connect) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(10_000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    heard: list[bytes] = []
    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnavailableError, match="does it speak https on that port") as caught:
            await connect(f"https://127.0.0.1:{port}").send(REQUEST)
    assert caught.value.delivery is Delivery.NOT_SENT
    assert heard[0][0] == 22  # a TLS handshake, and nothing else
    assert SECRET.encode() not in heard[0]


async def test_keys_are_not_written_where_the_environment_says(
    serve: Serve, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    context = served_with(issue("127.0.0.1", by=AUTHORITY), tmp_path)
    server = await answering(serve, context)
    await connect(server.url, ca_file=AUTHORITY.files(tmp_path, "authority")[0]).send(REQUEST)
    assert not keys.exists()
