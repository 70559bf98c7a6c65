"""Policies: their form, their quorum, and what they believe."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.notes.keyring import (
    AT,
    CHECKPOINT,
    FIRST,
    LOG,
    NEXT,
    ORIGIN,
    SECOND,
    STRANGER,
    Held,
    checkpoint_by,
    signed_by,
)
from trueup.audit.notes.errors import NoteInvalid, PolicyInvalid, PolicyUnmet, SignatureInvalid
from trueup.audit.notes.keys import COSIGNATURE
from trueup.audit.notes.policies import Cosigned, Group, Log, Policy, Witness, accept
from trueup.audit.notes.policy_files import parse_policy, render_policy
from trueup.audit.notes.signed import parse_note

MANY = [Held(f"w{number}.example", number + 10, COSIGNATURE) for number in range(6)]
NAMES = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
# The example of https://c2sp.org/tlog-policy with keys.
EXAMPLE = f"""log {LOG.key}

witness X1 {MANY[0].key}
witness X2 {MANY[1].key}
witness X3 {MANY[2].key}
group X-witnesses 2 X1 X2 X3

witness Y1 {MANY[3].key}
witness Y2 {MANY[4].key}
witness Y3 {MANY[5].key}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
BOTH = Policy(
    logs=(Log(key=LOG.key, url="https://acme.example/audit"), Log(key=NEXT.key)),
    witnesses=(Witness(name="first", key=FIRST.key), Witness(name="second", key=SECOND.key, url="https://w.example")),
    groups=(Group(name="both", threshold=2, members=("first", "second")),),
    quorum="both",
)


def test_the_specifications_example_is_read() -> None:
    policy = parse_policy(EXAMPLE.encode())

    assert policy.logs == (Log(key=LOG.key),)
    assert [(one.name, one.key) for one in policy.witnesses] == [
        (name, held.key) for name, held in zip(NAMES, MANY, strict=True)
    ]
    assert policy.groups == (
        Group(name="X-witnesses", threshold=2, members=("X1", "X2", "X3")),
        Group(name="Y-witnesses", threshold=1, members=("Y1", "Y2", "Y3")),
        Group(name="X-and-Y", threshold=2, members=("X-witnesses", "Y-witnesses")),
    )
    assert policy.quorum == "X-and-Y"
    assert parse_policy(render_policy(policy)) == policy


@given(st.sets(st.sampled_from([*NAMES, "X-witnesses", "X-and-Y", "stranger"])))
@settings(deadline=None)
def test_the_specifications_quorum_is_two_of_one_and_one_of_the_other(names: set[str]) -> None:
    expected = len(names & set(NAMES[:3])) >= 2 and bool(names & set(NAMES[3:]))

    assert parse_policy(EXAMPLE.encode()).is_met(names) is expected


def test_spaces_tabs_comments_and_other_octets_are_read() -> None:
    data = b"# caf\xe9 + \xff\n \t\n\tlog  " + str(LOG.key).encode() + b"\thttps://a.example \n"
    data += b"witness \xe2\x84\xaa " + str(FIRST.key).encode() + b"\nwitness K\xff " + str(SECOND.key).encode()
    data += b"\n # comment\nquorum K\xff\n"

    policy = parse_policy(data)

    assert policy.logs == (Log(key=LOG.key, url="https://a.example"),)
    assert [one.name.encode(errors="surrogateescape") for one in policy.witnesses] == [b"\xe2\x84\xaa", b"K\xff"]
    assert parse_policy(render_policy(policy)) == policy


def test_a_policy_is_written_as_people_write_it() -> None:
    assert render_policy(BOTH).decode() == (
        f"log {LOG.key} https://acme.example/audit\n"
        f"log {NEXT.key}\n"
        f"witness first {FIRST.key}\n"
        f"witness second {SECOND.key} https://w.example\n"
        "group both all first second\n"
        "quorum both\n"
    )
    assert render_policy(Policy()) == b"quorum none\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no quorum"),
        (f"log {LOG.key}\n".encode(), "no quorum"),
        (b"quorum none", "may be cut short"),
        (b"quorum none\r\n", "control characters"),
        (b"quorum none\x00\n", "control characters"),
        (b"quorum none\x7f\n", "control characters"),
        (b"quorum none\nquorum none\n", "Line 2 of the policy: there is a second quorum"),
        (b"quorum\n", "Line 1 of the policy: it is no log, witness, group or quorum"),
        (b"quorum a b\n", "it is no log"),
        (b"Quorum none\n", "it is no log"),
        (b"log\n", "it is no log"),
        (f"log {LOG.key} a b\n".encode(), "it is no log"),
        (f"witness {FIRST.key}\n".encode(), "it is no log"),
        (f"witness a {FIRST.key} b c\n".encode(), "it is no log"),
        (b"group a any\n", "it is no log"),
        (b"quorum first\n", "the name 'first' is not defined above"),
        (b"log a+b+c\n", "Line 1 of the policy: 'a.b.c' is no verifier key"),
        (f"log {FIRST.key}\n".encode(), "of the type 0x04 instead of 0x01"),
        (f"witness a {LOG.key}\n".encode(), "of the type 0x01 instead of 0x04"),
        (f"log {LOG.key}\nlog {Held('another.example', 1).key}\n".encode(), "stands here already"),
        (f"witness a {FIRST.key}\nwitness b {FIRST.key}\n".encode(), "stands here already"),
        (f"witness a {FIRST.key}\nwitness a {SECOND.key}\n".encode(), "the name 'a' is taken"),
        (f"witness none {FIRST.key}\n".encode(), "the name 'none' is taken"),
        (f"witness a {FIRST.key}\ngroup a any a\n".encode(), "the name 'a' is taken"),
        (f"witness a {FIRST.key}\ngroup b any b\n".encode(), "the name 'b' is not defined above"),
        (f"witness a {FIRST.key}\ngroup b any none\n".encode(), "the name 'none' is not defined above"),
        (f"witness a {FIRST.key}\ngroup b any a a\n".encode(), "the name 'a' is a member already"),
        (f"witness a {FIRST.key}\ngroup b any a\ngroup c any a\n".encode(), "Line 3 .* is a member already"),
        (f"witness a {FIRST.key}\ngroup b 0 a\n".encode(), "'0' of 1 members cannot be asked for"),
        (f"witness a {FIRST.key}\ngroup b 2 a\n".encode(), "'2' of 1 members cannot be asked for"),
        (f"witness a {FIRST.key}\ngroup b 01 a\n".encode(), "'01' of 1 members cannot be asked for"),
        (f"witness a {FIRST.key}\ngroup b most a\n".encode(), "'most' of 1 members cannot be asked for"),
    ],
)
def test_another_form_is_refused_by_line(data: bytes, message: str) -> None:
    with pytest.raises(PolicyInvalid, match=message):
        parse_policy(data)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(quorum="first"),
        Policy(logs=(Log(key=LOG.key, url="https://a b"),)),
        Policy(witnesses=(Witness(name="a b", key=FIRST.key),)),
        Policy(logs=(Log(key=LOG.key), Log(key=LOG.key))),
    ],
)
def test_a_policy_that_could_not_be_read_again_is_not_written(policy: Policy) -> None:
    with pytest.raises(PolicyInvalid):
        render_policy(policy)


def test_a_name_that_reads_as_something_else_is_not_written() -> None:
    policy = Policy(witnesses=(Witness(name="a", key=FIRST.key, url=" x"),))

    with pytest.raises(PolicyInvalid, match="cannot be written"):
        render_policy(policy)


def test_a_checkpoint_signed_and_cosigned_by_enough_is_believed() -> None:
    accepted = accept(parse_note(checkpoint_by(CHECKPOINT, STRANGER, LOG, SECOND, NEXT, FIRST)), BOTH)

    assert accepted.checkpoint == CHECKPOINT
    assert accepted.logs == (LOG.key, NEXT.key)
    assert accepted.witnesses == (
        Cosigned(name="second", key=SECOND.key, at=AT.replace(microsecond=0)),
        Cosigned(name="first", key=FIRST.key, at=AT.replace(microsecond=0)),
    )


def test_either_key_of_a_log_is_enough() -> None:
    assert accept(parse_note(checkpoint_by(CHECKPOINT, NEXT, FIRST, SECOND)), BOTH).logs == (NEXT.key,)


def test_too_few_witnesses_are_named() -> None:
    with pytest.raises(PolicyUnmet, match="The quorum both is not reached: the checkpoint is cosigned by first"):
        accept(parse_note(checkpoint_by(CHECKPOINT, LOG, FIRST)), BOTH)
    with pytest.raises(PolicyUnmet, match="is cosigned by nobody"):
        accept(parse_note(checkpoint_by(CHECKPOINT, LOG)), BOTH)


def test_one_witness_twice_is_one_witness() -> None:
    with pytest.raises(PolicyUnmet, match="is not reached"):
        accept(parse_note(checkpoint_by(CHECKPOINT, LOG, FIRST, FIRST)), BOTH)


def test_a_log_has_to_sign_its_checkpoint_itself() -> None:
    with pytest.raises(PolicyUnmet, match=f"The checkpoint of {ORIGIN} is not signed by a key"):
        accept(parse_note(checkpoint_by(CHECKPOINT, FIRST, SECOND, STRANGER)), BOTH)


def test_a_key_speaks_only_for_its_own_log() -> None:
    policy = Policy(logs=(Log(key=STRANGER.key),))

    with pytest.raises(PolicyUnmet, match=f"does not know the log {ORIGIN}"):
        accept(parse_note(checkpoint_by(CHECKPOINT, STRANGER)), policy)


def test_a_bad_signature_condemns_even_what_enough_others_signed() -> None:
    note = checkpoint_by(CHECKPOINT, LOG, FIRST, SECOND)
    wrong = signed_by("another text\n", NEXT)
    line = checkpoint_by(CHECKPOINT, LOG, NEXT).split(b"\n")[-2]
    forged = parse_note(note + line + b"\n")

    assert accept(forged, BOTH).logs == (LOG.key, NEXT.key)
    with pytest.raises(SignatureInvalid):
        accept(type(forged)(text=forged.text, signatures=(*forged.signatures[:3], *wrong.signatures)), BOTH)


def test_a_note_that_is_no_checkpoint_is_not_believed() -> None:
    with pytest.raises(NoteInvalid, match="three lines or more"):
        accept(signed_by("text\n", LOG), BOTH)


def test_without_a_quorum_the_log_is_enough() -> None:
    policy = parse_policy(f"log {LOG.key}\nquorum none\n".encode())

    assert accept(parse_note(checkpoint_by(CHECKPOINT, LOG, FIRST)), policy).witnesses == ()
