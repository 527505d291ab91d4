"""A server that says exactly what a test wants said, byte by byte, on loopback."""

import datetime
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Say = Callable[[socket.socket], None]


@dataclass
class Raw:
    """A running server; `heard` holds the head of every request, with when it came."""

    url: str
    heard: list[tuple[float, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def saying(answer: Callable[[str, int], Say], tls: ssl.SSLContext | None = None) -> Iterator[Raw]:
    """Serve: `answer` gets a request's head and its number, and gives what says the answer.

    One answer a connection, which is closed then.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if tls else "http"
        server = Raw(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")

        def serve(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                if tls:
                    connection = tls.wrap_socket(connection, server_side=True)
                head = b""
                while b"\r\n\r\n" not in head:
                    received = connection.recv(65536)
                    if not received:
                        return
                    head += received
                number = len(server.heard)
                server.heard.append((time.monotonic(), head.decode("latin-1")))
                answer(head.decode("latin-1"), number)(connection)
                connection.shutdown(socket.SHUT_WR)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def message(body: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """Write an answer; in the names of headers, `_` is `-`."""
    named = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **{name.replace("_", "-"): value for name, value in (headers or {}).items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def whole(answer: bytes) -> Say:
    """Send everything and close."""
    return lambda connection: connection.sendall(answer)


def reset(answer: bytes) -> Say:
    """Send a part, and reset the connection."""

    def say(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return say


def stopping(answer: bytes) -> Say:
    """Send a part, and keep the connection open until the client closes it."""

    def say(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.recv(1)

    return say


def dripping(answer: bytes, pause: float) -> Say:
    """Send byte by byte, with pauses in seconds."""

    def say(connection: socket.socket) -> None:
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return say


def self_signed(folder: Path, name: str = "elsewhere.invalid") -> ssl.SSLContext:
    """Make the TLS of a server whose certificate nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
