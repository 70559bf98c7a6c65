"""Settings that name places outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.notes.keyring import FIRST, LOG, SECOND
from trueup.runtime import configuration
from trueup.runtime.configuration import Configuration, ConfigurationInvalid
from trueup.runtime.outside import witnesses


def load(home: Path, **environ: str) -> Configuration:
    return configuration.load({"TRUEUP_HOME": str(home)} | {f"TRUEUP_{name}": value for name, value in environ.items()})


def test_witnesses_are_keys_and_addresses(tmp_path: Path) -> None:
    text = f"{FIRST.key}=http://a.example/w?x=1, {SECOND.key}=https://b.example"

    assert witnesses(load(tmp_path, AUDIT_WITNESSES=text).audit_witnesses) == (
        (str(FIRST.key), "http://a.example/w?x=1"),
        (str(SECOND.key), "https://b.example"),
    )
    assert witnesses("") == ()


@pytest.mark.parametrize(
    ("_case", "variable", "value"),
    [
        ("no address", "AUDIT_WITNESSES", str(FIRST.key)),
        ("another scheme", "AUDIT_WITNESSES", f"{FIRST.key}=ftp://a.example"),
        ("a log's key", "AUDIT_WITNESSES", f"{LOG.key}=http://a.example"),
        ("a key copied wrongly", "AUDIT_WITNESSES", f"{str(FIRST.key)[:-1]}A=http://a.example"),
        ("a name copied wrongly", "AUDIT_WITNESSES", f"x{FIRST.key}=http://a.example"),
        ("no base64", "AUDIT_WITNESSES", f"{FIRST.key}==http://a.example"),
        ("twice", "AUDIT_WITNESSES", f"{FIRST.key}=http://a.example,{FIRST.key}=http://b.example"),
        ("no address of a host", "AUDIT_TSA_URL", "tsa.example"),
        ("a password in it", "AUDIT_CHECKPOINT_WEBHOOK", "https://a:b@hooks.example"),
        ("no mailbox", "AUDIT_CHECKPOINT_MAILBOX", "ada"),
        ("two mailboxes", "AUDIT_CHECKPOINT_MAILBOX", "ada@acme.example,bob@acme.example"),
        ("a line end", "AUDIT_CHECKPOINT_MAILBOX", "ada@acme.example\nBcc: b@acme.example"),
        ("no mail server", "SMTP_URL", "https://mail.example"),
        ("no port", "SMTP_URL", "smtp://mail.example:many"),
        ("no sender", "SMTP_URL", "smtp://mail.example?from=a b"),
    ],
)
def test_what_is_not_of_its_form_is_refused_by_the_variables_name(
    tmp_path: Path, _case: str, variable: str, value: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match=f"TRUEUP_{variable}: "):
        load(tmp_path, **{variable: value})


@pytest.mark.parametrize(
    "variables",
    [
        {"AUDIT_TSA_URL": "https://tsa.example"},
        {"AUDIT_TSA_CERTIFICATES": "/etc/tsa.pem"},
        {"AUDIT_CHECKPOINT_WEBHOOK": "https://hooks.example"},
        {"AUDIT_CHECKPOINT_MAILBOX": "ada@acme.example"},
    ],
)
def test_what_goes_together_is_asked_for_together(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"go together|needs TRUEUP_SMTP_URL"):
        load(tmp_path, **variables)


def test_a_password_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        load(tmp_path, SMTP_URL="smtpx://ada:hunter2@mail.example")

    assert "hunter2" not in str(caught.value)
    fine = load(tmp_path, SMTP_URL="smtps://ada:hunter2@mail.example:465?from=trueup@acme.example")
    assert "hunter2" not in repr(fine)


def test_a_file_that_others_read_may_hold_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "trueup.toml"
    file.write_text('smtp_url = "smtp://mail.example"\n', encoding="utf-8")
    file.chmod(0o644)

    with pytest.raises(ConfigurationInvalid, match="TRUEUP_SMTP_URL"):
        load(tmp_path)
