"""Stand-ins for HashiCorp Vault's transit engine and for AWS KMS: real Ed25519 keys behind HTTP on loopback.

They keep to what the vendors document of the few calls that are used. Neither the services nor their programs are here.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typing_extensions import override

from trueup.audit.signing.aws import Credentials, signed_headers

Answer = tuple[int, dict[str, Any]]


class Place:
    """What both have: a switch that turns them off."""

    down = False
    """Answer 503, as when it is sealed or out of order."""
    lying = False
    """Sign with another key than the one it tells."""
    asked: int = 0

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The status and the JSON."""
        raise NotImplementedError


class TransitEngine(Place):
    """``/v1/<mount>/keys/<key>``, ``.../rotate`` and ``/v1/<mount>/sign/<key>`` of one key."""

    def __init__(self, *, mount: str = "transit", name: str = "trueup", kind: str = "ed25519") -> None:
        self.versions = [Ed25519PrivateKey.generate()]
        self.token = "hvs.secret"
        self.kind = kind
        self._mount, self._name = f"/v1/{mount}", name

    @override
    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """As documented: data in ``data``, what is wrong in ``errors``."""
        self.asked += 1
        if self.down:
            return 503, {"errors": ["Vault is sealed"]}
        if headers.get("x-vault-token") != self.token:
            return 403, {"errors": ["permission denied"]}
        told = json.loads(body or b"{}")
        match method, path.removeprefix(self._mount):
            case "GET", rest if rest == f"/keys/{self._name}":
                keys = {
                    str(number): {"name": self.kind, "public_key": _b64(key.public_key().public_bytes_raw())}
                    for number, key in enumerate(self.versions, start=1)
                }
                return 200, {"data": {"type": self.kind, "latest_version": len(keys), "keys": keys}}
            case "POST", rest if rest == f"/keys/{self._name}/rotate":
                self.versions.append(Ed25519PrivateKey.generate())
                return 200, {"data": {"latest_version": len(self.versions)}}
            case "POST", rest if rest == f"/sign/{self._name}":
                version = int(told.get("key_version") or len(self.versions))
                key = Ed25519PrivateKey.generate() if self.lying else self.versions[version - 1]
                signature = key.sign(base64.b64decode(told["input"]))
                return 200, {"data": {"signature": f"vault:v{version}:{_b64(signature)}", "key_version": version}}
            case _:
                return 404, {"errors": []}


class KeyManagement(Place):
    """``TrentService.Sign`` and ``GetPublicKey``; checks the signature of the request as AWS does."""

    credentials = Credentials(key_id="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

    def __init__(self, region: str = "eu-central-1") -> None:
        self.region = region
        self.keys = {"key-1": Ed25519PrivateKey.generate()}
        self.rsa = generate_private_key(public_exponent=65537, key_size=2048).public_key()

    @override
    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """As documented: the answer itself, or ``__type`` and a message."""
        self.asked += 1
        if self.down:
            return 503, {"__type": "com.amazonaws.kms#DependencyTimeoutException"}
        if not self._is_signed(method, path, headers, body):
            return 400, {"__type": "InvalidSignatureException"}
        told = json.loads(body)
        if told["KeyId"] not in {*self.keys, "rsa"}:
            return 400, {"__type": "NotFoundException", "message": "Key is not found."}
        return self._do(headers["x-amz-target"], told)

    def _do(self, target: str, told: dict[str, str]) -> Answer:
        key = self.keys.get(told["KeyId"])
        public = key.public_key() if key else self.rsa
        if target == "TrentService.GetPublicKey":
            return 200, {"PublicKey": _b64(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}
        asked = (target, told["MessageType"], told["SigningAlgorithm"])
        if key is None or asked != ("TrentService.Sign", "RAW", "ED25519_SHA_512"):
            return 400, {"__type": "ValidationException"}
        return 200, {"KeyId": told["KeyId"], "Signature": _b64(key.sign(base64.b64decode(told["Message"])))}

    def _is_signed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bool:
        # Signed again from what arrived, with the headers that the request says are signed.
        names = headers.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
        given = {name: headers.get(name, "") for name in names if name not in {"host", "x-amz-date"}}
        expected = signed_headers(
            method=method,
            url=f"http://{headers.get('host', '')}{path}",
            headers=given,
            body=body,
            credentials=self.credentials,
            region=self.region,
            service="kms",
            at=datetime.strptime(headers.get("x-amz-date", "20000101T000000Z"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        )
        return expected["Authorization"] == headers.get("authorization")


@contextmanager
def running(place: Place) -> Iterator[str]:
    """Serve it; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, told = place.answer(self.command, self.path, headers, body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _b64(given: bytes) -> str:
    return base64.b64encode(given).decode()
