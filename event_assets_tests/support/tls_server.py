"""A server with a TLS certificate, and the authorities that sign one."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST, OTHER_HOST = "127.0.0.1", "127.0.0.2"
SIGNING = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
DAY = timedelta(days=1)
BODY = b'{"data": [], "access_token": "a-fetched-token", "expires_in": 600}'


class Authority:
    """A certificate authority, whose own certificate is in `file`.

    `may_sign`: whether its certificate says that it is one.
    """

    def __init__(self, folder: Path, *, may_sign: bool = True) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {folder.name}")])
        certificate = self._sign(self._name, self._key.public_key(), 1, is_authority=may_sign)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        days: float,
        host: str = HOST,
        *,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + min(days, 0) * DAY - DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(names, critical=False)
            .add_extension(constraints, critical=True)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )
        if is_authority:
            certificate = certificate.add_extension(SIGNING, critical=True)
        return certificate.sign(self._key, hashes.SHA256())

    def issue(self, host: str = HOST, days: float = 1, *, is_self_signed: bool = False) -> Path:
        """Return a file with a certificate that ends in some days, and its key."""
        key = self._key if is_self_signed else ec.generate_private_key(ec.SECP256R1())
        subject = x509.NameAttribute(NameOID.COMMON_NAME, host)
        name = self._name if is_self_signed else x509.Name([subject])
        certificate = self._sign(name, key.public_key(), days, host)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return file


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        location = cast("_Server", self.server).location
        self.send_response(302 if location else 200)
        self.send_header("Location", location)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    do_POST = do_GET  # noqa: N815 (of the standard library)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    location = ""

    def handle_error(self, *_: object) -> None:
        """Print nothing about a client that does not trust the certificate."""


@contextmanager
def serving_tls(
    certificate: Path,
    location: str = "",
    clients: Path | None = None,
    configure: Callable[[ssl.SSLContext], None] = lambda _: None,
) -> Iterator[str]:
    """Serve any request with a certificate, or redirect it to a `location`; yield the URL.

    `clients` is the file of the authority by which clients must have a certificate; `configure`
    sets what else the server requires.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    configure(context)
    with _Server((HOST, 0), _Handler) as server:
        server.location = location
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
