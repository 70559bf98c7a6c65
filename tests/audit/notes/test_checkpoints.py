"""Checkpoints and cosignatures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.audit.notes.keyring import AT, CHECKPOINT, FIRST, LOG, ORIGIN, SECOND, signed_by
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint, render_checkpoint
from trueup.audit.notes.cosignatures import cosign, cosigned_at, cosigned_message
from trueup.audit.notes.errors import NoteInvalid, SignatureInvalid
from trueup.audit.notes.signatures import verified
from trueup.audit.notes.signed import Note, Signature, parse_note, render_note

# https://c2sp.org/tlog-cosignature; the keys of the example are not published.
SOFA = Path(__file__).with_name("vectors").joinpath("cosigned.note").read_bytes()
TEXT = render_checkpoint(CHECKPOINT)
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def test_the_specifications_checkpoint_is_read_and_written_again() -> None:
    note = parse_note(SOFA)
    checkpoint = parse_checkpoint(note.text)

    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20_852_163
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert checkpoint.extensions == ()
    assert render_checkpoint(checkpoint) == note.text
    assert render_note(note) == SOFA


def test_the_specifications_cosignature_has_its_time_and_message() -> None:
    witness = parse_note(SOFA).signatures[1]

    assert (witness.name, witness.key_id, len(witness.value)) == ("witness.example.com/w1", 0x8D66CF3F, 72)
    assert int.from_bytes(witness.value[:8]) == 1_679_315_147
    assert cosigned_message(parse_note(SOFA).text, 1_679_315_147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_extension_lines_are_kept_and_never_written() -> None:
    checkpoint = parse_checkpoint(f"a.example/log\n7\n{ROOT}\nfirst line\nsecond\n")

    assert checkpoint.extensions == ("first line", "second")
    with pytest.raises(NoteInvalid, match="not written with extension lines"):
        render_checkpoint(checkpoint)


@pytest.mark.parametrize("size", [0, 1, 2**63 - 1])
def test_every_size_is_read_back(size: int) -> None:
    checkpoint = Checkpoint(origin="a log of Zoë", size=size, root=bytes(32))

    assert parse_checkpoint(render_checkpoint(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a\n1\n{ROOT}", "ends with a newline"),
        ("a\n1\n", "three lines or more"),
        (f"\n1\n{ROOT}\n", "none is empty"),
        (f"a\n1\n{ROOT}\n\n", "none is empty"),
        (f"a\n1\n{ROOT}\n\nmore\n", "none is empty"),
        (f"a\n01\n{ROOT}\n", "no whole number"),
        (f"a\n-1\n{ROOT}\n", "no whole number"),
        (f"a\n+1\n{ROOT}\n", "no whole number"),
        (f"a\n 1\n{ROOT}\n", "no whole number"),
        (f"a\n1_0\n{ROOT}\n", "no whole number"),
        (f"a\n\u0661\n{ROOT}\n", "no whole number"),
        (f"a\n{2**63}\n{ROOT}\n", "no whole number"),
        (f"a\n{'9' * 5_000}\n{ROOT}\n", "no whole number"),
        (f"a\n1\n{ROOT[:-1]}\n", "no base64"),
        (f"a\n1\n{ROOT.replace('/', '_')}\n", "no base64"),
        (f"a\n1\n{ROOT[:-4]}\n", "A hash has 32 bytes"),
        (f"a\n1\n{ROOT}\nb\x01\n", "no control characters"),
    ],
)
def test_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(origin="", size=1, root=bytes(32)),
        Checkpoint(origin="a\nb", size=1, root=bytes(32)),
        Checkpoint(origin="a\tb", size=1, root=bytes(32)),
        Checkpoint(origin="a", size=-1, root=bytes(32)),
        Checkpoint(origin="a", size=2**63, root=bytes(32)),
        Checkpoint(origin="a", size=1, root=bytes(31)),
    ],
)
def test_what_could_not_be_read_again_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(NoteInvalid):
        render_checkpoint(checkpoint)


def test_a_checkpoint_is_signed_and_cosigned() -> None:
    note = parse_note(render_note(signed_by(TEXT, LOG, FIRST, SECOND)))

    assert parse_checkpoint(note.text).origin == ORIGIN
    assert [(one.key, one.at) for one in verified(note, [SECOND.key, FIRST.key, LOG.key])] == [
        (LOG.key, None),
        (FIRST.key, AT.replace(microsecond=0)),
        (SECOND.key, AT.replace(microsecond=0)),
    ]


@pytest.mark.parametrize("at", [*range(0, 72, 5), 71])
def test_a_bit_flipped_in_a_cosignature_or_its_time_condemns_the_note(at: int) -> None:
    good = signed_by(TEXT, FIRST).signatures[0]
    value = bytearray(good.value)
    value[at] ^= 1 << at % 8
    note = Note(text=TEXT, signatures=(Signature(name=good.name, key_id=good.key_id, value=bytes(value)),))

    with pytest.raises(SignatureInvalid, match=r"The cosignature of witness\.example/first does not fit"):
        verified(note, [FIRST.key])


@pytest.mark.parametrize("length", [0, 1, 7, 8, 64, 71, 73])
def test_a_cosignature_of_another_length_does_not_fit(length: int) -> None:
    good = signed_by(TEXT, FIRST).signatures[0]
    cut = Signature(name=good.name, key_id=good.key_id, value=(good.value + b"\x00")[:length])

    with pytest.raises(SignatureInvalid):
        cosigned_at(TEXT, FIRST.key, cut)


def test_a_cosignature_fits_one_checkpoint_only() -> None:
    good = signed_by(TEXT, FIRST).signatures[0]

    with pytest.raises(SignatureInvalid):
        cosigned_at(TEXT.replace("\n1\n", "\n2\n"), FIRST.key, good)


def test_a_time_is_in_utc_and_cut_to_the_second() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert cosign(TEXT, FIRST.key, FIRST.sign, there) == cosign(TEXT, FIRST.key, FIRST.sign, AT)
    assert cosigned_at(TEXT, FIRST.key, cosign(TEXT, FIRST.key, FIRST.sign, there)) == datetime(
        2026, 9, 1, 12, tzinfo=UTC
    )
    with pytest.raises(ValueError, match="without a zone"):
        cosign(TEXT, FIRST.key, FIRST.sign, AT.replace(tzinfo=None))


def test_a_time_beyond_the_year_9999_is_refused() -> None:
    seconds = 253_402_300_800
    value = seconds.to_bytes(8) + FIRST.sign(cosigned_message(TEXT, seconds))

    with pytest.raises(SignatureInvalid):
        cosigned_at(TEXT, FIRST.key, Signature(name=FIRST.key.name, key_id=FIRST.key.key_id, value=value))


def test_only_a_witness_cosigns_and_only_with_its_key() -> None:
    with pytest.raises(SignatureInvalid, match="signs notes; it does not cosign"):
        cosign(TEXT, LOG.key, LOG.sign, AT)
    with pytest.raises(SignatureInvalid, match="does not fit"):
        cosign(TEXT, FIRST.key, SECOND.sign, AT)
    with pytest.raises(SignatureInvalid, match="does not fit"):
        cosigned_at(TEXT, LOG.key, signed_by(TEXT, FIRST).signatures[0])
