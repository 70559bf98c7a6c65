"""Signed notes: their one form, and who signed them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.notes.keyring import FIRST, LOG, NEXT, STRANGER, Held, signed_by
from trueup.audit.notes.errors import KeyInvalid, NoteInvalid, SignatureInvalid
from trueup.audit.notes.keys import COSIGNATURE, ED25519, VerifierKey, parse_key
from trueup.audit.notes.signatures import sign, verified
from trueup.audit.notes.signed import (
    LARGEST_NOTE,
    Note,
    Signature,
    is_key_name,
    parse_note,
    parse_signatures,
    render_note,
)

VECTORS = Path(__file__).parent / "vectors"
# https://c2sp.org/signed-note
QUASIMODO = VECTORS.joinpath("quasimodo.note").read_bytes()
# https://pkg.go.dev/golang.org/x/mod/sumdb/note
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
# Two signed trees of Go's checksum database, years apart.
GO_TREES_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_TREES = [
    """go.sum database tree
6476701
mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=

— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=
""",
    """go.sum database tree
65209736
5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=

— sum.golang.org Az3grnbssgK7ubgFX36gVETtNv0U23qxyAhAMai2QUfeGa3nB/akvkMdlUErfcZz7l/R3cVtYspg3dxXABkGZZKdsQ8=
""",
]
LINE = "— a.example AAAAAQE=\n"


def test_the_specifications_note_is_read_and_written_again() -> None:
    note = parse_note(QUASIMODO)

    assert note.text.endswith("\n\ned è subito sera.\n")
    assert [(one.name, one.key_id, len(one.value)) for one in note.signatures] == [
        ("quasimodo.example/salvatore", 0x367BA04B, 64)
    ]
    assert render_note(note) == QUASIMODO


@pytest.mark.parametrize(("key", "whole"), [(GO_KEY, GO_NOTE), *((GO_TREES_KEY, tree) for tree in GO_TREES)])
def test_what_another_implementation_signed_is_verified(key: str, whole: str) -> None:
    note = parse_note(whole.encode())

    assert [(str(one.key), one.at) for one in verified(note, [parse_key(key)])] == [(key, None)]
    with pytest.raises(SignatureInvalid, match="does not fit the note"):
        verified(Note(text=note.text + "more\n", signatures=note.signatures), [parse_key(key)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no empty line"),
        (b"text\n", "no empty line"),
        (b"text\n" + LINE.encode(), "no empty line"),
        (b"text\n\n", "1 to 100 lines"),
        (b"text\n\n" + LINE.encode()[:-1], "1 to 100 lines"),
        (b"text\n\n" + LINE.encode() + b"\n", "1 to 100 lines"),
        (b"te\xffxt\n\n" + LINE.encode(), "not UTF-8"),
        (b"te\xed\xa0\x80xt\n\n" + LINE.encode(), "not UTF-8"),
        (b"te\txt\n\n" + LINE.encode(), "no control characters"),
        (b"text\r\n\n" + LINE.encode(), "no control characters"),
        (b"te\x00xt\n\n" + LINE.encode(), "no control characters"),
        (b"text\n\n- a.example AAAAAQE=\n", "a dash, the name of a key and base64"),
        ("text\n\n—  AAAAAQE=\n".encode(), "a dash, the name of a key and base64"),
        ("text\n\n— a.example\n".encode(), "a dash, the name of a key and base64"),
        ("text\n\n— a+b AAAAAQE=\n".encode(), "a dash, the name of a key and base64"),
        ("text\n\n— a\u2003b AAAAAQE=\n".encode(), "a dash, the name of a key and base64"),
        ("text\n\n— a.example AAAAAQE\n".encode(), "no base64"),
        ("text\n\n— a.example AAAAAQF=\n".encode(), "no base64"),
        ("text\n\n— a.example AAAAAQE= \n".encode(), "no base64"),
        ("text\n\n— a.example é\n".encode(), "no base64"),
        ("text\n\n— a.example AAAAAQ==\n".encode(), "too short"),
        (("text\n\n" + LINE * 101).encode(), "1 to 100 lines"),
        (b"a" * LARGEST_NOTE + b"\n\n" + LINE.encode(), "more than 1000000 are not read"),
    ],
)
def test_another_form_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        parse_note(data)


def test_up_to_a_hundred_signatures_are_read() -> None:
    assert len(parse_note(("text\n\n" + LINE * 100).encode()).signatures) == 100


@pytest.mark.parametrize(
    "note",
    [
        Note(text="text", signatures=parse_signatures(LINE)),
        Note(text="te\x1bxt\n", signatures=parse_signatures(LINE)),
        Note(text="te\ud800xt\n", signatures=parse_signatures(LINE)),
        Note(text="text\n", signatures=()),
    ],
)
def test_a_note_that_could_not_be_read_again_is_not_written(note: Note) -> None:
    with pytest.raises(NoteInvalid):
        render_note(note)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=60)


@given(TEXTS, st.lists(st.tuples(st.sampled_from(["a", "b.example/ö"]), st.binary(min_size=5)), min_size=1, max_size=5))
@settings(deadline=None)
def test_every_note_is_read_back(text: str, values: list[tuple[str, bytes]]) -> None:
    signatures = tuple(
        Signature(name=name, key_id=int.from_bytes(value[:4]), value=value[4:]) for name, value in values
    )
    note = Note(text=f"{text}\n", signatures=signatures)

    assert parse_note(render_note(note)) == note


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\tb", "a\u2029b", "a\x00b", "a\udc80b"])
def test_some_names_are_not_for_keys(name: str) -> None:
    assert not is_key_name(name)
    with pytest.raises(KeyInvalid, match="is no name of a key"):
        VerifierKey(name=name, public_key=bytes(32))


def test_the_signatures_of_known_keys_are_found_among_others() -> None:
    note = signed_by("text\n", STRANGER, LOG)

    assert [one.key for one in verified(note, [NEXT.key, LOG.key])] == [LOG.key]
    assert verified(note, [NEXT.key]) == ()
    assert verified(note, []) == ()


@pytest.mark.parametrize("at", range(64))
def test_a_bit_flipped_in_a_known_keys_signature_condemns_the_note(at: int) -> None:
    good = signed_by("text\n", LOG, STRANGER)
    value = bytearray(good.signatures[0].value)
    value[at] ^= 1 << at % 8
    first = Signature(name=LOG.key.name, key_id=LOG.key.key_id, value=bytes(value))
    note = Note(text=good.text, signatures=(first, good.signatures[1]))

    with pytest.raises(SignatureInvalid, match=r"The signature of acme\.example/audit/live does not fit"):
        verified(note, [LOG.key, STRANGER.key])
    assert [one.key for one in verified(note, [STRANGER.key])] == [STRANGER.key]


def test_a_signature_of_another_length_does_not_fit() -> None:
    good = signed_by("text\n", LOG)
    for value in (good.signatures[0].value[:-1], good.signatures[0].value + b"\x00", b"\x00"):
        note = Note(text=good.text, signatures=(Signature(name=LOG.key.name, key_id=LOG.key.key_id, value=value),))
        with pytest.raises(SignatureInvalid):
            verified(note, [LOG.key])


def test_a_known_name_with_an_unknown_key_id_is_passed_over() -> None:
    good = signed_by("text\n", LOG)
    other = Signature(name=LOG.key.name, key_id=LOG.key.key_id ^ 1, value=b"nonsense")

    note = Note(text=good.text, signatures=(other, *good.signatures))

    assert [one.signature for one in verified(note, [LOG.key])] == list(good.signatures)


def test_a_signer_with_another_key_than_it_says_is_found_out() -> None:
    with pytest.raises(SignatureInvalid, match="does not fit"):
        sign("text\n", LOG.key, NEXT.sign)
    with pytest.raises(SignatureInvalid, match="cosigns checkpoints; it does not sign notes"):
        sign("text\n", FIRST.key, FIRST.sign)
    with pytest.raises(NoteInvalid, match="ends with a newline"):
        sign("text", LOG.key, LOG.sign)


@pytest.mark.parametrize("key", [GO_KEY, GO_TREES_KEY, str(LOG.key), str(FIRST.key)])
def test_a_key_is_read_back(key: str) -> None:
    assert str(parse_key(key)) == key


def test_the_types_of_keys_make_different_key_ids() -> None:
    log = VerifierKey(name="a.example", public_key=bytes(32), kind=ED25519)
    witness = VerifierKey(name="a.example", public_key=bytes(32), kind=COSIGNATURE)

    assert log.key_id != witness.key_id
    assert Held("a.example", 1).key.key_id == Held("a.example", 1).key.key_id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no verifier key"),
        ("PeterNeumann", "is no verifier key"),
        ("PeterNeumann+c74f20a3", "is no verifier key"),
        ("PeterNeumann+c74f20a3+", "is no verifier key"),
        ("PeterNeumann+c74f20a3+!", "is no verifier key"),
        (GO_KEY.replace("c74f20a3", "c74f20a4"), "which is c74f20a3"),
        (GO_KEY.replace("c74f20a3", "C74F20A3"), "which is c74f20a3"),
        (GO_KEY.replace("PeterNeumann", "PeterNeuman"), "is not that of the key"),
        (GO_KEY.replace("PeterNeumann", "Peter Neumann"), "is no name of a key"),
        (GO_KEY[:-4], "has 29 bytes instead of 32"),
        ("a.example+00000000+Ag==", "of the type 0x02, which is not known here"),
    ],
)
def test_another_form_of_a_key_is_refused(text: str, message: str) -> None:
    with pytest.raises(KeyInvalid, match=message):
        parse_key(text)


def test_two_keys_that_cannot_be_told_apart_are_refused() -> None:
    # Both have the key id 82d8ce72: 32 bits collide after some ten thousand tries.
    first, second = (VerifierKey(name="a.example", public_key=number.to_bytes(32)) for number in (38_170, 78_965))
    note = signed_by("text\n", LOG)

    with pytest.raises(KeyInvalid, match=r"Two keys have the name a\.example and the key id 82d8ce72"):
        verified(note, [first, second])
    assert verified(note, [first, first]) == ()
