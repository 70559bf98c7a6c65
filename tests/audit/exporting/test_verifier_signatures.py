"""The verifier's own Ed25519: the vectors of RFC 8032, and the same answers as another implementation's."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.audit.exporting.verifier import BASE, ORDER, P, encoded, is_signed
from trueup.audit.notes.keys import VerifierKey

# https://www.rfc-editor.org/rfc/rfc8032.html#section-7.1
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.mark.parametrize(("public_key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_standard_are_signed(public_key: str, message: str, signature: str) -> None:
    assert is_signed(bytes.fromhex(public_key), bytes.fromhex(message), bytes.fromhex(signature))
    assert not is_signed(bytes.fromhex(public_key), bytes.fromhex(message) + b"\x00", bytes.fromhex(signature))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511), st.integers(0, 255))
@settings(deadline=None, max_examples=30)
def test_what_another_implementation_signs_is_signed_until_a_bit_is_flipped(
    seed: bytes, message: bytes, bit: int, key_bit: int
) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public_key, signature = private.public_key().public_bytes_raw(), private.sign(message)

    assert is_signed(public_key, message, signature)
    assert not is_signed(public_key, message, (int.from_bytes(signature) ^ 1 << bit).to_bytes(64))
    assert not is_signed((int.from_bytes(public_key) ^ 1 << key_bit).to_bytes(32), message, signature)


@given(st.binary(max_size=70), st.binary(max_size=40))
@settings(deadline=None, max_examples=50)
def test_nonsense_is_not_signed(signature: bytes, public_key: bytes) -> None:
    assert not is_signed(SIGNER.public_key().public_bytes_raw(), b"message", signature)
    assert not is_signed(public_key, b"message", SIGNER.sign(b"message"))


@pytest.mark.parametrize(
    "public_key",
    [
        bytes(31),
        b"\xff" * 32,
        (2**255 - 19).to_bytes(32, "little"),
        (2**255 + 1).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
    ],
)
def test_what_is_no_point_is_no_key(public_key: bytes) -> None:
    assert not is_signed(public_key, b"message", SIGNER.sign(b"message"))


def test_a_key_has_one_form() -> None:
    # With the neutral point as the key anybody can sign; here it is written as 1 plus the prime.
    forged = encoded(BASE) + (1).to_bytes(32, "little")

    assert is_signed((1).to_bytes(32, "little"), b"message", forged)
    assert not is_signed((P + 1).to_bytes(32, "little"), b"message", forged)


def test_a_signature_has_one_form() -> None:
    # Adding the group's order to the scalar gives another form of the same signature, which the standard forbids.
    signature = SIGNER.sign(b"message")
    other = signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    key = VerifierKey(name="a", public_key=SIGNER.public_key().public_bytes_raw())

    assert is_signed(key.public_key, b"message", signature)
    assert not is_signed(key.public_key, b"message", other)
    assert not key.is_signature(b"message", other)
