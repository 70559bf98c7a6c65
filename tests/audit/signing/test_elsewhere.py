"""Keys that are held elsewhere: in HashiCorp Vault and in AWS KMS, as stand-ins of ours answer for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.signing.places import KeyManagement, TransitEngine, running
from tests.audit.writing import BY, record, seal, signed, signers
from trueup.audit.sealing import service as sealing
from trueup.audit.signing import keys
from trueup.audit.signing.errors import SignerUnavailable, SigningKeyByHand
from trueup.audit.signing.provider import provider
from trueup.audit.verifying import service as verifying
from trueup.runtime import configuration, database

pytestmark = pytest.mark.usefixtures("db", "home")


def use(monkeypatch: pytest.MonkeyPatch, signer: str, **variables: str) -> None:
    """Sign with these keys."""
    monkeypatch.setenv("TRUEUP_AUDIT_SIGNER", signer)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    configuration.current.cache_clear()


def state() -> str:
    """The code for which nothing is signed."""
    return sealing.state(database.connection(), livemode=True).code


def public_keys() -> list[bytes]:
    """Whose signatures the newest checkpoint bears."""
    return [key.public_key for key in signers(signed())]


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[TransitEngine]:
    """A Vault that signs the log."""
    engine = TransitEngine(mount="team/transit")
    with running(engine) as address:
        use(monkeypatch, f"vault:{address}/team/transit/trueup", VAULT_TOKEN=engine.token)
        yield engine


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyManagement]:
    """A KMS that signs the log."""
    service = KeyManagement()
    with running(service) as address:
        use(
            monkeypatch,
            "kms:eu-central-1/key-1",
            AWS_ENDPOINT_URL_KMS=address,
            AWS_ACCESS_KEY_ID=service.credentials.key_id,
            AWS_SECRET_ACCESS_KEY=service.credentials.secret,
        )
        yield service


def test_vault_signs_the_log(vault: TransitEngine, home: Path) -> None:
    record()
    seal()

    assert public_keys() == [vault.versions[0].public_key().public_bytes_raw()]
    assert verifying.verify_database(database.connection(), livemode=True).verified
    assert not (home / "audit" / "keys").exists()


def test_a_new_version_of_vaults_key_is_a_new_key(vault: TransitEngine) -> None:
    record()
    seal()

    sealing.rotate(livemode=True, why="A year is over.", by=BY)

    assert public_keys() == [key.public_key().public_bytes_raw() for key in reversed(vault.versions)]
    assert len(vault.versions) == 2
    assert verifying.verify_database(database.connection(), livemode=True).verified


def test_an_outage_of_vault_leaves_checkpoints_to_be_signed_later(vault: TransitEngine) -> None:
    record()
    seal()
    vault.down = True
    record()
    seal()
    record()

    assert seal() == 1, "places are given meanwhile"
    assert state() == SignerUnavailable.code
    assert signed().size == 2

    vault.down = False
    seal()
    assert (state(), signed().size) == ("", 4)
    assert verifying.verify_database(database.connection(), livemode=True).verified


def test_a_token_out_of_a_file_is_read_each_time(
    vault: TransitEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    use(monkeypatch, configuration.current().audit_signer, TRUEUP_AUDIT_VAULT_TOKEN_FILE=str(token))
    with pytest.raises(SignerUnavailable, match="cannot be read"):
        provider().signers(livemode=True)
    token.write_text("hvs.old\n", encoding="ascii")
    with pytest.raises(SignerUnavailable, match="answered 403"):
        provider().signers(livemode=True)
    token.write_text(f"{vault.token}\n", encoding="ascii")

    assert len(provider().signers(livemode=True)) == 1


def test_a_key_of_another_type_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransitEngine(kind="ecdsa-p256")
    with running(engine) as address:
        use(monkeypatch, f"vault:{address}/transit/trueup", VAULT_TOKEN=engine.token)
        with pytest.raises(SignerUnavailable, match="of the type 'ecdsa-p256'"):
            provider().signers(livemode=True)


def test_vault_that_signs_with_another_key_is_not_believed(vault: TransitEngine) -> None:
    record()
    seal()
    vault.lying = True
    record()

    seal()

    assert (state(), signed().size) == (SignerUnavailable.code, 2)
    assert "signed with another key" in sealing.state(database.connection(), livemode=True).problem


def test_nobody_who_answers_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "vault:http://127.0.0.1:1/transit/trueup")
    record()

    assert seal() == 0

    assert state() == SignerUnavailable.code
    assert keys.announced(database.connection(), livemode=True) == []


def test_kms_signs_the_log(kms: KeyManagement) -> None:
    record()
    seal()
    asked = kms.asked
    record()
    seal()

    assert public_keys() == [kms.keys["key-1"].public_key().public_bytes_raw()]
    assert kms.asked == asked + 1, "the public key is asked for once"
    assert verifying.verify_database(database.connection(), livemode=True).verified


def test_a_new_key_of_kms_is_named_first(kms: KeyManagement, monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    seal()
    with pytest.raises(SigningKeyByHand):
        sealing.rotate(livemode=True, why="", by=BY)
    kms.keys["key-2"] = KeyManagement().keys["key-1"]
    use(monkeypatch, "kms:eu-central-1/key-2,key-1")

    sealing.rotate(livemode=True, why="", by=BY)

    assert public_keys() == [kms.keys[name].public_key().public_bytes_raw() for name in ("key-2", "key-1")]


_CASES = [
    ("eu-west-1/key-1", {}, "InvalidSignatureException"),
    ("eu-central-1/key-9", {}, "NotFoundException"),
    ("eu-central-1/rsa", {}, "is no Ed25519 key"),
    ("eu-central-1/key-1", {"AWS_SECRET_ACCESS_KEY": "other"}, "InvalidSignatureException"),
    ("eu-central-1/key-1", {"AWS_SECRET_ACCESS_KEY": ""}, "no credentials"),
]


@pytest.mark.parametrize(("place", "variables", "said"), _CASES)
def test_what_kms_refuses_is_told(
    kms: KeyManagement, monkeypatch: pytest.MonkeyPatch, place: str, variables: dict[str, str], said: str
) -> None:
    use(monkeypatch, f"kms:{place}", **variables)

    with pytest.raises(SignerUnavailable, match=said):
        provider().signers(livemode=True)


def test_a_role_that_was_assumed_sends_its_token(kms: KeyManagement, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "kms:eu-central-1/key-1,key-1", AWS_SESSION_TOKEN="of a role")

    assert len(provider().signers(livemode=True)) == 2


@pytest.mark.parametrize("signer", ["files", "vault:transit/trueup", "vault:https://u:p@host/transit/key", "kms:key"])
def test_a_signer_of_no_form_is_refused(monkeypatch: pytest.MonkeyPatch, signer: str) -> None:
    use(monkeypatch, signer)

    with pytest.raises(configuration.ConfigurationInvalid, match="TRUEUP_AUDIT_SIGNER"):
        configuration.current()
