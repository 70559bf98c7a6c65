"""A whole installation, run by ``trueup up``: where it listens, over TLS, and what its logs tell of people."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import signal
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import instance
from tests.ops.conftest import Installation
from tests.ports import free_port

LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp."""

PERSON = {"email": "ada.lovelace@private.example", "name": "Ada Lovelace", "phone": "+44 20 7946 0000"}
SECRET = "whsec_NeverInALog1234"
KEY = "rk_test_NeverInALog5678"


class Running:
    """A running installation, and where it answers."""

    def __init__(self, installation: Installation, port: int, said: Path, context: ssl.SSLContext | None) -> None:
        self.installation = installation
        self.port = port
        self.said = said
        self._context = context

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, bytes]:
        """One request; gives status and body."""
        connection: http.client.HTTPConnection
        if self._context is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self._context)
        with closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()

    def ready(self) -> bool:
        """Whether it takes work."""
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False


@contextmanager
def up(
    installation: Installation, *options: str, context: ssl.SSLContext | None = None, **variables: str
) -> Iterator[Running]:
    """Run ``trueup up`` until the block ends, then stop it as Ctrl-C does and look that it ended well."""
    port = free_port()
    said = installation.home.parent / "said.log"
    home = instance.Home(installation.home, environment={"DATABASE_URL": installation.database, **variables})
    process = home.start("trueup.ops.main", "up", "--port", str(port), *options, log="said")
    running = Running(installation, port, said, context)
    try:
        instance.eventually(lambda: running.ready() or process.poll() is not None, "the installation is ready", 60)
        assert process.poll() is None, said.read_text(encoding="utf-8")
        yield running
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        home.end()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trueup test")])
    now = datetime.now(UTC)  # noqa: TID251 - certificates live by the wall clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    return [pid, *(found for child in instance.children(pid).values() for found in family(child))]


def listening(pids: list[int]) -> list[tuple[str, int]]:
    """The addresses and ports on which these processes listen."""
    inodes = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(file.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING and words[9] in inodes:
                address, _, port = words[1].partition(":")
                found.append((str(readable(address)), int(port, 16)))
    return sorted(found)


def readable(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address of /proc/net/tcp: words of four bytes, each in the machine's order."""
    raw = bytes.fromhex(address)
    return ipaddress.ip_address(b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4)))


def token(installation: Installation) -> str:
    """A token that may read."""
    return str(installation.run("token", "create", "--name", "ci", "--scope", "read", "--json").json["token"])


def tell(running: Running, number: int) -> tuple[dict[str, Any], bytes]:
    """Post a signed event about a person; gives the answer and the body."""
    about = instance.customer(f"cus_{number}", **PERSON)
    body = instance.encoded(instance.event("customer.created", about, id=f"evt_{number}"))
    header = instance.signed(body, SECRET)
    status, answer = running.ask("POST", "/webhooks/stripe/acme", {"Stripe-Signature": header}, body)
    assert status == 200, answer
    return json.loads(answer), body


def test_an_installation_listens_on_loopback_only_answers_programs_and_logs_nothing_of_people(
    fresh: Installation,
) -> None:
    connected = fresh.run("connect", "--name", "acme", "--webhook-secret", SECRET, "--api-key", KEY, "--offline")
    assert connected.status == 0, connected.err
    secret_words = [*PERSON.values(), SECRET, KEY, "v1=", "correct horse battery"]
    assert fresh.run("operator", "create", PERSON["email"], "--password", "correct horse battery").status == 0
    program = {"Authorization": f"Bearer {token(fresh)}"}
    secret_words.append(program["Authorization"].removeprefix("Bearer "))

    with up(fresh, TRUEUP_LOG_LEVEL="debug") as running:
        pids = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and str(running.port) in _words(entry)
        ]
        sockets = listening([found for pid in pids for found in family(pid)])
        answer, body = tell(running, 1)
        again, _body = tell(running, 1)
        running.ask("POST", "/webhooks/stripe/acme", {"Stripe-Signature": "t=1,v1=" + "0" * 64}, b"{}")
        running.ask("POST", "/webhooks/stripe/nobody", body=b"{}")
        instance.eventually(lambda: running.ask("GET", "/api/v1/customers/cus_1", program)[0] == 200, "it is folded")
        status, found = running.ask("GET", "/api/v1/events/evt_1", program)
        search, _found = running.ask("GET", f"/api/v1/customers?q={PERSON['email']}", program)
        refused, _found = running.ask("GET", "/api/v1/customers", {"Authorization": "Bearer tru_wrong"})
        running.ask("GET", "/api/v1/customers?after=nonsense", program)
        running.ask("GET", "/healthz")
        running.ask("GET", "/metrics")

    assert sockets == [("127.0.0.1", running.port)]
    assert (answer, again) == ({"received": True, "duplicate": False}, {"received": True, "duplicate": True})
    assert (status, search, refused) == (200, 200, 401)
    assert base64.b64decode(json.loads(found)["body"]) == body
    said = running.said.read_text(encoding="utf-8")
    said += "".join(file.read_text(errors="replace") for file in fresh.home.rglob("*.log"))
    assert "Trueup runs at" in said
    for word in secret_words:
        assert word not in said


def _words(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def spoken(port: int, words: bytes) -> bytes:
    """What a port answers to words in clear; nothing where it hangs up."""
    with closing(socket.create_connection(("127.0.0.1", port), 5)) as plain:
        plain.sendall(words)
        try:
            return plain.recv(1024)
        except ConnectionError:
            return b""


def test_a_certificate_makes_everything_https(fresh: Installation, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    context = ssl.create_default_context(cafile=str(cert))
    fresh.run("connect", "--name", "acme", "--webhook-secret", SECRET)
    program = {"Authorization": f"Bearer {token(fresh)}"}

    with up(fresh, "--tls-cert", str(cert), f"--tls-key={key}", context=context) as running:
        answer, _body = tell(running, 1)
        status, _page = running.ask("GET", "/api/v1/customers", program)
        set_up, page = running.ask("GET", "/set-up")
        in_clear = spoken(running.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer == {"received": True, "duplicate": False}
    assert (status, set_up) == (200, 200)
    assert not in_clear.startswith(b"HTTP/")
    assert b"csrfmiddlewaretoken" in page
    assert f"https://127.0.0.1:{running.port}" in running.said.read_text(encoding="utf-8")
