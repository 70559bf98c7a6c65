"""Connecting accounts: once is enough, twice changes nothing, and nothing is readable in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.accounts.conftest import BY
from trueup.accounts import registry
from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountExists, AccountUnknown, ApiKeyInvalid
from trueup.accounts.types import Access, Account
from trueup.audit import service as audit
from trueup.audit.types import AuditEntry
from trueup.kernel.errors import NotFound, Refused
from trueup.runtime import database
from trueup.runtime.crypto import Sealer, Unsealable

Connect = Callable[..., Account]

KEY = "rk_test_PlaintextOfTheKey1"
OTHER_KEY = "rk_test_PlaintextOfTheKey2"
SECRET = "whsec_PlaintextOfTheSecret1"
OTHER_SECRET = "whsec_PlaintextOfTheSecret2"


def entries() -> list[AuditEntry]:
    """Everything recorded, oldest first."""
    return audit.entries(database.connection())[::-1]


def actions() -> list[str]:
    """What was recorded, oldest first."""
    return [entry.action for entry in entries()]


def revision() -> int:
    """The number that the intake watches."""
    return registry.revision(database.connection())


def everything() -> bytes:
    """Every row of every table, with binary columns as they are and as hexadecimal."""
    tables = database.execute(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    found = []
    for (table,) in tables.fetchall():
        for row in database.execute(f"select * from {table}").fetchall():
            found += [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
        found += [str(row[0]).encode() for row in database.execute(f"select t::text from {table} t").fetchall()]
    return b"\n".join(found)


def test_an_account_is_made_with_what_was_asked(connect: Connect) -> None:
    account = connect("Acme Inc.", api_key=KEY, access=Access.ACT, webhook_secrets=[SECRET], stripe_account_id="acct_1")

    assert (account.slug, account.name, account.livemode, account.access) == (
        "acme-inc",
        "Acme Inc.",
        False,
        Access.ACT,
    )
    assert (account.stripe_account_id, account.parent_id, account.has_api_key) == ("acct_1", None, True)
    assert accounts.accounts() == (account,)
    assert actions() == ["accounts.account.connected", "accounts.webhook_secret.added"]
    assert {(entry.actor_kind, entry.actor_id) for entry in entries()} == {(BY.kind.value, BY.id)}


def test_connecting_again_with_the_same_values_changes_nothing(connect: Connect) -> None:
    given = {"api_key": KEY, "webhook_secrets": [SECRET, OTHER_SECRET], "stripe_account_id": "acct_1"}
    first = connect(**given)
    before = (actions(), revision())

    again = connect(**given)

    assert again == first
    assert (actions(), revision()) == before
    assert len(accounts.webhook_secrets("acme")) == 2


def test_a_new_key_replaces_the_old_one_and_the_entry_says_so_without_showing_it(
    connect: Connect, sealer: Sealer
) -> None:
    connect(api_key=KEY)
    before = revision()

    account = connect(api_key=OTHER_KEY)

    assert accounts.api_key_of(account, sealer=sealer) == OTHER_KEY
    assert actions() == ["accounts.account.connected", "accounts.account.changed"]
    assert entries()[-1].after["api_key_replaced"] is True
    assert revision() > before


def test_what_is_left_out_stays(connect: Connect, sealer: Sealer) -> None:
    connect(api_key="sk_live_1234", access=Access.ACT, api_base="https://stripe.example", stripe_account_id="acct_1")

    account = connect(webhook_secrets=[SECRET])

    assert (account.livemode, account.access, account.api_base) == (True, Access.ACT, "https://stripe.example")
    assert account.stripe_account_id == "acct_1"
    assert accounts.api_key_of(account, sealer=sealer) == "sk_live_1234"
    assert actions() == ["accounts.account.connected", "accounts.webhook_secret.added"]


def test_watching_becomes_acting_where_there_is_a_key_already(connect: Connect) -> None:
    connect(api_key=KEY)

    assert connect(access=Access.ACT).access is Access.ACT
    assert connect(access=Access.WATCH).access is Access.WATCH
    assert [(entry.before["access"], entry.after["access"]) for entry in entries()[1:]] == [
        ("watch", "act"),
        ("act", "watch"),
    ]


def test_acting_without_any_key_is_refused_and_nothing_is_made(connect: Connect) -> None:
    with pytest.raises(Refused, match="an API key is needed"):
        connect(access=Access.ACT)
    assert accounts.accounts() == ()
    assert actions() == []


@pytest.mark.parametrize("second", [{"api_key": "rk_live_1234"}, {"livemode": True}])
def test_a_name_stays_in_its_mode(connect: Connect, second: dict[str, object]) -> None:
    connect(api_key=KEY)

    with pytest.raises(AccountExists, match="belongs to an account in the other mode"):
        connect(**second)
    assert actions() == ["accounts.account.connected"]


def test_a_name_stays_with_its_stripe_account(connect: Connect, sealer: Sealer) -> None:
    account = connect(api_key=KEY, stripe_account_id="acct_1")

    with pytest.raises(AccountExists, match="acme is acct_1; this key is of acct_2"):
        connect(api_key=OTHER_KEY, stripe_account_id="acct_2")
    assert accounts.api_key_of(account, sealer=sealer) == KEY


def test_stripes_id_is_learnt_later(connect: Connect) -> None:
    connect(api_key=KEY)

    assert connect(api_key=KEY, stripe_account_id="acct_1").stripe_account_id == "acct_1"
    assert actions() == ["accounts.account.connected", "accounts.account.changed"]


def test_what_connecting_would_refuse_is_known_before_and_nothing_is_written(connect: Connect) -> None:
    connect(api_key=KEY)
    given: dict[str, Any] = {
        "name": "acme",
        "api_key": "",
        "webhook_secrets": [],
        "livemode": None,
        "access": None,
        "api_base": None,
    }

    accounts.check(**given)

    for wrong in ({"livemode": True}, {"api_key": "pk_test_1234"}, {"webhook_secrets": ["x"]}, {"api_base": "x"}):
        with pytest.raises(Refused):
            accounts.check(**(given | wrong))
    assert actions() == ["accounts.account.connected"]


def test_a_bad_secret_among_good_ones_leaves_nothing_behind(connect: Connect) -> None:
    with pytest.raises(Refused, match="begins with whsec_"):
        connect(api_key=KEY, webhook_secrets=[SECRET, "nonsense"])
    assert accounts.accounts() == ()


def test_no_key_and_no_secret_can_be_read_in_the_database(connect: Connect, sealer: Sealer) -> None:
    connect(api_key=KEY, webhook_secrets=[SECRET, OTHER_SECRET])
    account = connect(api_key=OTHER_KEY)

    stored = everything()

    assert accounts.api_key_of(account, sealer=sealer) == OTHER_KEY
    assert b"acme" in stored
    for secret in (KEY, OTHER_KEY, SECRET, OTHER_SECRET):
        assert secret.encode() not in stored
        assert secret.encode().hex().encode() not in stored
        assert secret.removeprefix("whsec_")[:12].encode() not in stored


def test_another_secret_is_accepted_beside_the_first_and_only_once(connect: Connect, sealer: Sealer) -> None:
    connect(webhook_secrets=[SECRET])
    before = revision()

    added = accounts.add_webhook_secret(slug="acme", secret=OTHER_SECRET, sealer=sealer, by=BY)
    again = accounts.add_webhook_secret(slug="acme", secret=f" {OTHER_SECRET}\n", sealer=sealer, by=BY)

    assert again == added
    assert added.hint == OTHER_SECRET[-4:]
    assert accounts.webhook_secrets("acme")[0] == added
    assert actions().count("accounts.webhook_secret.added") == 2
    assert revision() == before + 1
    assert registry.endpoints(database.connection(), sealer)["acme"].secrets == (OTHER_SECRET.encode(), SECRET.encode())


def test_a_retired_secret_no_longer_verifies(connect: Connect, sealer: Sealer) -> None:
    connect(webhook_secrets=[SECRET, OTHER_SECRET])
    newest, oldest = accounts.webhook_secrets("acme")
    before = revision()

    accounts.retire_webhook_secret(slug="acme", secret_id=oldest.id, by=BY)

    assert accounts.webhook_secrets("acme") == (newest,)
    assert registry.endpoints(database.connection(), sealer)["acme"].secrets == (OTHER_SECRET.encode(),)
    assert revision() == before + 1
    assert (entries()[-1].action, entries()[-1].object_id) == ("accounts.webhook_secret.retired", str(oldest.id))


def test_the_last_secret_cannot_be_retired(connect: Connect) -> None:
    connect(webhook_secrets=[SECRET])
    (only,) = accounts.webhook_secrets("acme")

    with pytest.raises(Refused) as refused:
        accounts.retire_webhook_secret(slug="acme", secret_id=only.id, by=BY)
    assert refused.value.code == "webhook_secret_last"
    assert accounts.webhook_secrets("acme") == (only,)


def test_a_secret_is_retired_once_and_in_its_own_account(connect: Connect) -> None:
    connect(webhook_secrets=[SECRET, OTHER_SECRET])
    connect("other", webhook_secrets=[SECRET, OTHER_SECRET])
    retired = accounts.webhook_secrets("acme")[1].id
    accounts.retire_webhook_secret(slug="acme", secret_id=retired, by=BY)

    for slug, secret_id in (("acme", retired), ("other", accounts.webhook_secrets("acme")[0].id), ("acme", 10**9)):
        with pytest.raises(NotFound, match="has no active webhook secret"):
            accounts.retire_webhook_secret(slug=slug, secret_id=secret_id, by=BY)
    assert actions().count("accounts.webhook_secret.retired") == 1


def test_a_retired_secret_can_come_back_as_a_new_one(connect: Connect, sealer: Sealer) -> None:
    connect(webhook_secrets=[SECRET, OTHER_SECRET])
    retired = accounts.webhook_secrets("acme")[1].id
    accounts.retire_webhook_secret(slug="acme", secret_id=retired, by=BY)

    assert accounts.add_webhook_secret(slug="acme", secret=SECRET, sealer=sealer, by=BY).id != retired


def test_an_unknown_account_has_no_secrets(db: None, sealer: Sealer) -> None:
    with pytest.raises(AccountUnknown):
        accounts.webhook_secrets("nobody")
    with pytest.raises(AccountUnknown):
        accounts.add_webhook_secret(slug="nobody", secret=SECRET, sealer=sealer, by=BY)


def test_a_connected_account_appears_once_under_its_parent_and_mode(connect: Connect, sealer: Sealer) -> None:
    parent = connect(webhook_secrets=[SECRET])
    given: dict[str, Any] = {"parent_id": parent.id, "livemode": False, "stripe_account_id": "acct_Child"}

    first = registry.appear(database.connection(), **given)
    again = registry.appear(database.connection(), **given)
    live = registry.appear(database.connection(), **(given | {"livemode": True}))

    assert first == again != live
    assert actions().count("accounts.account.appeared") == 2
    own, *others = accounts.accounts()
    assert own == parent
    assert [(child.parent_id, child.livemode, child.stripe_account_id) for child in others] == [
        (parent.id, False, "acct_Child"),
        (parent.id, True, "acct_Child"),
    ]
    assert registry.connected(database.connection()) == {
        (parent.id, False, "acct_Child"): first,
        (parent.id, True, "acct_Child"): live,
    }
    assert set(registry.endpoints(database.connection(), sealer)) == {"acme"}


def test_connected_accounts_with_nearly_the_same_names_are_told_apart(connect: Connect) -> None:
    one, other = connect("a" * 40 + " one"), connect("a" * 40 + " two")
    ids = [("acct_Abc", one.id), ("acct_aBC", one.id), ("acct_Abc", other.id)]

    found = {
        registry.appear(database.connection(), parent_id=parent, livemode=False, stripe_account_id=stripe)
        for stripe, parent in ids
    }

    assert len(found) == 3


def test_a_connected_account_is_not_changed_by_connecting_or_given_secrets(connect: Connect, sealer: Sealer) -> None:
    parent = connect("p")
    registry.appear(database.connection(), parent_id=parent.id, livemode=False, stripe_account_id="acct_1")
    child = accounts.accounts()[1]

    with pytest.raises(AccountUnknown):
        accounts.add_webhook_secret(slug=child.slug, secret=SECRET, sealer=sealer, by=BY)


def test_a_parent_that_is_gone_raises_and_records_nothing(db: None) -> None:
    with pytest.raises(psycopg.OperationalError, match="neither inserted nor found"):
        registry.appear(database.connection(), parent_id=10**9, livemode=False, stripe_account_id="acct_1")
    assert actions() == []


def test_the_key_is_proven_by_a_canary(db: None, sealer: Sealer) -> None:
    accounts.check_key(sealer)
    accounts.check_key(sealer)

    with pytest.raises(Unsealable) as refused:
        accounts.check_key(Sealer(bytes(32)))
    assert refused.value.code == "secret_key_mismatch"
    assert "TRUEUP_SECRET_KEY" in refused.value.hint
    accounts.check_key(sealer)


def test_a_key_of_the_wrong_kind_makes_nothing(connect: Connect) -> None:
    with pytest.raises(ApiKeyInvalid):
        connect(api_key="pk_test_1234")
    assert accounts.accounts() == ()
