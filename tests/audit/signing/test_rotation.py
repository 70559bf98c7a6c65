"""New signing keys, announced by the old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.audit.writing import BY, record, seal, signed, signers
from trueup.audit import service as audit
from trueup.audit.notes.keys import VerifierKey, parse_key
from trueup.audit.notes.policy_files import parse_policy
from trueup.audit.sealing import service as sealing
from trueup.audit.signing import keys, rotation
from trueup.audit.signing.errors import SigningKeyInvalid, SigningKeyMissing
from trueup.audit.signing.keys import SigningKey
from trueup.audit.verifying import service as verifying
from trueup.runtime import configuration, crypto, database, installation

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MONTH = timedelta(days=30)


def key(number: int, days: int, leaf_index: int | None) -> SigningKey:
    """A key that was announced so many days ago."""
    return SigningKey(
        number=number,
        key=VerifierKey(name="a/audit/live", public_key=bytes([number]) * 32),
        entry_id=number,
        announced_at=NOW - timedelta(days=days),
        leaf_index=leaf_index,
    )


_CASES = [
    ("before its announcement has a place", [(1, 90, 0), (2, 0, None)], 10, 9, [1]),
    ("before the announcement", [(1, 90, 0), (2, 0, 10)], 10, 9, [1]),
    ("from the announcement on both", [(1, 90, 0), (2, 0, 10)], 11, 10, [2, 1]),
    ("until the overlap ends", [(1, 90, 0), (2, 29, 10)], 99, 98, [2, 1]),
    ("then the new one alone", [(1, 90, 0), (2, 30, 10)], 99, 98, [2]),
    ("but not before the old one has signed the announcement", [(1, 90, 0), (2, 30, 10)], 99, 10, [2, 1]),
    ("three at once", [(1, 90, 0), (2, 5, 10), (3, 1, 20)], 99, 98, [3, 2, 1]),
    ("the first of three is over", [(1, 90, 0), (2, 40, 10), (3, 1, 20)], 99, 98, [3, 2]),
    ("the first key signs before its own entry has a place", [(1, 0, None)], 5, 0, [1]),
]


@pytest.mark.parametrize(("_case", "known", "size", "signed_size", "expected"), _CASES)
def test_who_signs_a_checkpoint(
    _case: str, known: list[tuple[int, int, int | None]], size: int, signed_size: int, expected: list[int]
) -> None:
    chosen = keys.signing([key(*one) for one in known], size=size, signed_size=signed_size, now=NOW, overlap=MONTH)

    assert [one.number for one in chosen] == expected


@pytest.mark.usefixtures("db", "home")
def test_a_verifier_that_trusts_the_first_key_follows_to_the_newest() -> None:
    record()
    seal()
    first = keys.announced(database.connection(), livemode=True)[0].key

    made = [sealing.rotate(livemode=True, why="It is a year old.", by=BY) for _ in range(2)]

    trusted = first
    for one in made:
        (entry,) = [found for found in audit.entries(database.connection()) if found.id == one.entry_id]
        assert (entry.action, entry.before) == ("audit.key.rotated", {"key": str(trusted)})
        checkpoint = signed()
        assert one.leaf_index is not None
        holding = database.execute(
            "select note from audit_checkpoint where livemode and size > %s order by size limit 1", (one.leaf_index,)
        ).fetchone()
        assert holding is not None
        assert trusted in signers(checkpoint.__class__(**{**_fields(checkpoint), "note": holding[0]}))
        trusted = parse_key(entry.after["key"])
    assert signers(signed()) == [made[1].key, made[0].key, first]
    assert verifying.verify_database(database.connection(), livemode=True).verified
    policy = parse_policy(rotation.policy(database.connection(), livemode=True))
    assert [log.key for log in policy.logs] == [first, made[0].key, made[1].key]


@pytest.mark.usefixtures("db")
def test_the_old_key_ends_with_the_overlap(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_AUDIT_KEY_OVERLAP_DAYS", "0")
    configuration.current.cache_clear()
    new = sealing.rotate(livemode=True, why="", by=BY)
    assert len(signers(signed())) == 2, "the one that holds the announcement"

    record()
    seal()

    assert signers(signed()) == [new.key]
    assert verifying.verify_database(database.connection(), livemode=True).verified
    assert sorted(path.name for path in (home / "audit" / "keys").iterdir()) == ["live-1.key", "live-2.key"]


@pytest.mark.usefixtures("db", "home")
def test_a_checkpoint_that_the_old_key_should_have_signed_is_missed() -> None:
    sealing.rotate(livemode=True, why="", by=BY)
    database.execute("set local session_replication_role = replica")
    note = (signed().note or "").splitlines(keepends=True)
    database.execute("update audit_checkpoint set note = %s where size = %s", ("".join(note[:-1]), signed().size))

    found = verifying.verify_database(database.connection(), livemode=True)

    assert found.first is not None
    assert (found.first.code, found.first.position) == ("audit_note_invalid", signed().size)


@pytest.mark.usefixtures("db")
def test_the_name_of_the_log_stays_when_the_installation_gets_another_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    seal()
    name = keys.origin(database.connection(), livemode=True)
    assert name == f"{installation.identifier()}/audit/live"
    monkeypatch.setenv("TRUEUP_SECRET_KEY", "B" * 43 + "=")
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    database.execute("delete from audit_subjectkey")

    record(livemode=False)
    seal()

    assert keys.origin(database.connection(), livemode=True) == name
    assert keys.origin(database.connection(), livemode=False) == name.replace("live", "test")
    assert not name.startswith(installation.identifier())
    assert signers(signed(livemode=False), livemode=False)[0].name == name.replace("live", "test")
    assert crypto.id_of(bytes(32)) == name[:12]
    assert home.is_dir()


@pytest.mark.usefixtures("db")
def test_a_key_that_was_made_and_not_announced_is_the_next_one(home: Path) -> None:
    record()
    seal()
    (home / "audit" / "keys" / "live-2.key").write_bytes(b"A" * 43 + b"=\n")
    (home / "audit" / "keys" / "live-2.key").chmod(0o600)

    sealing.rotate(livemode=True, why="", by=BY)

    assert sorted(path.name for path in (home / "audit" / "keys").iterdir()) == ["live-1.key", "live-2.key"]


@pytest.mark.usefixtures("db")
def test_a_key_is_not_rotated_where_the_present_one_is_not(home: Path) -> None:
    record()
    seal()
    (home / "audit" / "keys" / "live-1.key").unlink()

    with pytest.raises(SigningKeyMissing, match="not held here"):
        sealing.rotate(livemode=True, why="", by=BY)

    assert len(keys.announced(database.connection(), livemode=True)) == 1


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("content", "mode", "said"), [(b"A" * 43 + b"=", 0o640, "by others"), (b"x", 0o600, "no signing key")]
)
def test_a_key_file_that_is_none_or_is_open_to_others_signs_nothing(
    home: Path, content: bytes, mode: int, said: str
) -> None:
    record()
    seal()
    path = home / "audit" / "keys" / "live-1.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)
    record()

    seal()

    assert sealing.state(database.connection(), livemode=True).code == SigningKeyInvalid.code
    assert said in sealing.state(database.connection(), livemode=True).problem
    assert signed().size == 2


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in ("size", "root", "note", "made_at", "signed_at")}
