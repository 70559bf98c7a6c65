"""A timestamp authority of our own: `openssl ts` behind HTTP, with a root and a certificate made for it."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.audit.outside import Asked
from trueup.runtime import clock

CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """Answers requests; ``root`` is the file that makes it trusted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.root = folder / "root.pem"
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _certificate("Root", root_key, "Root", root_key, authority=True)
        own = _certificate("Authority", key, "Root", root_key, authority=False)
        self.root.write_bytes(root.public_bytes(Encoding.PEM))
        (folder / "tsa.pem").write_bytes(own.public_bytes(Encoding.PEM))
        (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "serial").write_text("01\n", encoding="ascii")
        (folder / "configuration").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")

    def __call__(self, asked: Asked) -> tuple[int, str, bytes]:
        """The response to a request."""
        (self._folder / "query").write_bytes(asked[2])
        files = ["-config", self._file("configuration"), "-queryfile", self._file("query"), "-out", self._file("reply")]
        subprocess.run(["openssl", "ts", "-reply", *files], check=True, capture_output=True)
        return 200, "application/timestamp-reply", (self._folder / "reply").read_bytes()

    def verifies(self, response: bytes, data: bytes) -> bool:
        """Whether OpenSSL agrees that a response is of these bytes."""
        (self._folder / "response").write_bytes(response)
        (self._folder / "data").write_bytes(data)
        files = ["-in", self._file("response"), "-data", self._file("data"), "-CAfile", str(self.root)]
        found = subprocess.run(["openssl", "ts", "-verify", *files], check=False, capture_output=True)
        return found.returncode == 0

    def _file(self, name: str) -> str:
        return str(self._folder / name)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signing: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return made.sign(signing, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
