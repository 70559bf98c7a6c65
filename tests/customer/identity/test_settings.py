"""What the operator says about metadata is read once and refused by the variable's name where it cannot be used."""

from __future__ import annotations

import pytest

from trueup.customer.rules import identity
from trueup.runtime import configuration


@pytest.mark.parametrize(
    "text", ["", "user_id=user", " a = user , b=organization,c=email,d=crm:salesforce,", "é=crm:x_1-y"]
)
def test_identity_keys_that_can_be_used_are_read(text: str) -> None:
    told = configuration.load({"TRUEUP_HOME": "/nonexistent", "TRUEUP_IDENTITY_KEYS": text}).identity_keys

    assert len(identity.settings(told, "").keys) == len([part for part in text.split(",") if part.strip()])


@pytest.mark.parametrize(
    "text",
    [
        "user_id",
        "user_id=",
        "=user",
        "user_id=friend",
        "a=crm",
        "a=crm:",
        "a=crm:Sales Force",
        "a b=user",
        "a=user;b=user",
    ],
)
def test_identity_keys_that_cannot_be_used_name_the_variable(text: str) -> None:
    with pytest.raises(configuration.ConfigurationInvalid, match=r"TRUEUP_IDENTITY_KEYS: .*is not KEY=user"):
        configuration.load({"TRUEUP_HOME": "/nonexistent", "TRUEUP_IDENTITY_KEYS": text})


@pytest.mark.parametrize("text", ["", "a:required", " a : unique ; b:pattern=^x=[0-9]{2,3}:y$ ;"])
def test_metadata_rules_that_can_be_used_are_read(text: str) -> None:
    told = configuration.load({"TRUEUP_HOME": "/nonexistent", "TRUEUP_METADATA_RULES": text}).metadata_rules

    assert len(identity.settings("", told).rules) == len([part for part in text.split(";") if part.strip()])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a", "is not KEY:required"),
        ("a:wanted", "is not KEY:required"),
        (":required", "is not KEY:required"),
        ("a:pattern=", "is not KEY:required"),
        ("a:pattern=[", "the expression of 'a:pattern=.' cannot be used"),
    ],
)
def test_metadata_rules_that_cannot_be_used_name_the_variable(text: str, says: str) -> None:
    with pytest.raises(configuration.ConfigurationInvalid, match=f"TRUEUP_METADATA_RULES: .*{says}"):
        configuration.load({"TRUEUP_HOME": "/nonexistent", "TRUEUP_METADATA_RULES": text})
