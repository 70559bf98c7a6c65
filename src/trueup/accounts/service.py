"""What others may ask about Stripe accounts, and the changes they may make."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any, Final

from trueup.accounts import registry, rules, store
from trueup.accounts.errors import AccountExists, AccountUnknown
from trueup.accounts.types import Access, Account, WebhookSecret
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database
from trueup.runtime.crypto import Sealer

CANARY: Final = b"trueup canary"
CANARY_PURPOSE: Final = "accounts_canary.sealed"


def check(
    *,
    name: str,
    api_key: str,
    webhook_secrets: Sequence[str],
    livemode: bool | None,
    access: Access | None,
    api_base: str | None,
) -> None:
    """Raise what ``connect`` would refuse about these values, so that it is known before anybody outside is asked."""
    known = store.by_slug(rules.slug_of(name))
    rules.check_api_base(api_base or (known.api_base if known else None), api_key=api_key)
    _agreed(known, name=name, api_key=api_key, livemode=livemode, access=access)
    for secret in webhook_secrets:
        rules.check_secret(secret)


def _agreed(
    known: Account | None, *, name: str, api_key: str, livemode: bool | None, access: Access | None
) -> tuple[bool, Access]:
    """The mode and the access that these values ask for, checked against the account of this name."""
    live = rules.mode_of(api_key, livemode=livemode, known=known.livemode if known else None)
    has_api_key = bool(api_key) or (known is not None and known.has_api_key)
    wanted = rules.access_of(access, has_api_key=has_api_key)
    if known is not None and (known.parent_id is not None or known.livemode != live):
        owner = "a connected account" if known.parent_id is not None else "an account in the other mode"
        raise AccountExists(
            f"The name {rules.slug_of(name)} belongs to {owner}.",
            hint="Choose another --name; each mode of a Stripe account has its own.",
        )
    return live, wanted


def connect(
    *,
    name: str,
    api_key: str,
    webhook_secrets: Sequence[str],
    livemode: bool | None,
    access: Access | None,
    api_base: str | None,
    stripe_account_id: str | None,
    sealer: Sealer,
    by: Actor,
) -> Account:
    """Make an account, or bring the one of this name up to date: its key, access and address; secrets are added.

    Calling it twice with the same values changes nothing the second time. What an account is never changes: the same
    name in the other mode, or with a key of another Stripe account, raises ``AccountExists``.
    """
    operators.require(by, Permission.ACCOUNTS_CHANGE)
    slug = rules.slug_of(name)
    rules.check_api_base(api_base, api_key=api_key)
    secrets = [rules.check_secret(secret) for secret in webhook_secrets]
    with database.transaction() as connection:
        # There may be no row to lock yet, and two who make the same one at once should both succeed.
        connection.execute("select pg_advisory_xact_lock(hashtext('accounts slug'), hashtext(%s))", (slug,))
        account = store.by_slug(slug, lock=True)
        live, wanted = _agreed(account, name=name, api_key=api_key, livemode=livemode, access=access)
        if account is None:
            account = store.insert(
                slug=slug,
                name=name.strip(),
                livemode=live,
                access=wanted,
                stripe_account_id=stripe_account_id,
                api_base=api_base or None,
                api_key_sealed=sealer.seal(api_key.encode(), purpose=registry.KEY_PURPOSE) if api_key else None,
            )
            audit.record(
                connection,
                by=by,
                action=Action.ACCOUNT_CONNECTED,
                object_type="account",
                object_id=str(account.id),
                livemode=account.livemode,
                after=_facts(account),
            )
            store.bump()
        else:
            account = _update(
                account,
                api_key=api_key,
                wanted=access,
                api_base=api_base,
                stripe_account_id=stripe_account_id,
                sealer=sealer,
                by=by,
            )
        for secret in secrets:
            _add_secret(account, secret, sealer=sealer, by=by)
    return account


def _facts(account: Account) -> dict[str, Any]:
    return {
        "slug": account.slug,
        "livemode": account.livemode,
        "access": account.access.value,
        "stripe_account_id": account.stripe_account_id,
        "api_base": account.api_base,
        "has_api_key": account.has_api_key,
    }


def _update(
    account: Account,
    *,
    api_key: str,
    wanted: Access | None,
    api_base: str | None,
    stripe_account_id: str | None,
    sealer: Sealer,
    by: Actor,
) -> Account:
    changes: dict[str, object] = {}
    if stripe_account_id and account.stripe_account_id not in {None, stripe_account_id}:
        raise AccountExists(
            f"{account.slug} is {account.stripe_account_id}; this key is of {stripe_account_id}.",
            hint="Choose another --name for another Stripe account.",
        )
    if api_key and not hmac.compare_digest(api_key_of(account, sealer=sealer).encode(), api_key.encode()):
        changes["api_key_sealed"] = sealer.seal(api_key.encode(), purpose=registry.KEY_PURPOSE)
    if wanted is not None and wanted is not account.access:
        changes["access"] = wanted.value
    if api_base and api_base != account.api_base:
        changes["api_base"] = api_base
    if stripe_account_id and stripe_account_id != account.stripe_account_id:
        changes["stripe_account_id"] = stripe_account_id
    if not changes:
        return account
    changed = store.update(account.id, **changes)
    with database.transaction() as connection:
        audit.record(
            connection,
            by=by,
            action=Action.ACCOUNT_CHANGED,
            object_type="account",
            object_id=str(account.id),
            livemode=account.livemode,
            before=_facts(account),
            after=_facts(changed) | {"api_key_replaced": "api_key_sealed" in changes},
        )
    store.bump()
    return changed


def _add_secret(account: Account, secret: str, *, sealer: Sealer, by: Actor) -> WebhookSecret:
    for known, sealed in store.sealed_secrets(account.id):
        if hmac.compare_digest(sealer.open(sealed, purpose=registry.SECRET_PURPOSE), secret.encode()):
            return known
    sealed = sealer.seal(secret.encode(), purpose=registry.SECRET_PURPOSE)
    added = store.insert_secret(account.id, sealed=sealed, hint=secret[-4:])
    with database.transaction() as connection:
        after = {"account_id": account.id, "hint": added.hint}
        audit.record(
            connection,
            by=by,
            action=Action.WEBHOOK_SECRET_ADDED,
            object_type="webhook_secret",
            object_id=str(added.id),
            livemode=account.livemode,
            after=after,
        )
    store.bump()
    return added


def add_webhook_secret(*, slug: str, secret: str, sealer: Sealer, by: Actor) -> WebhookSecret:
    """Accept another signing secret, beside those already active; the intake verifies with it within two seconds.

    Adding it twice adds one.
    """
    operators.require(by, Permission.ACCOUNTS_CHANGE)
    with database.transaction():
        return _add_secret(_own(slug), rules.check_secret(secret), sealer=sealer, by=by)


def retire_webhook_secret(*, slug: str, secret_id: int, by: Actor) -> None:
    """Stop accepting a signing secret.

    The last active one cannot be retired, because the endpoint would refuse everything.
    """
    operators.require(by, Permission.ACCOUNTS_CHANGE)
    with database.transaction() as connection:
        account = _own(slug)
        active = {known.id for known, _sealed in store.sealed_secrets(account.id)}
        if secret_id not in active:
            raise NotFound(f"{slug} has no active webhook secret {secret_id}.", code="webhook_secret_unknown")
        if active == {secret_id}:
            raise Refused(
                "That is the last active secret.", code="webhook_secret_last", hint="Add its successor first."
            )
        store.retire_secret(secret_id, now=clock.now())
        audit.record(
            connection,
            by=by,
            action=Action.WEBHOOK_SECRET_RETIRED,
            object_type="webhook_secret",
            object_id=str(secret_id),
            livemode=account.livemode,
            before={"account_id": account.id},
        )
        store.bump()


def _own(slug: str, *, lock: bool = True) -> Account:
    account = store.by_slug(slug, lock=lock)
    if account is None or account.parent_id is not None:
        raise AccountUnknown(f"There is no account {slug}.", hint="List them with: trueup accounts")
    return account


def accounts() -> tuple[Account, ...]:
    """All accounts, own ones first, then connected ones."""
    return tuple(store.all_accounts())


def account(account_id: int) -> Account:
    """The account with this id of ours; ``AccountUnknown`` for one that there is not."""
    found = store.by_id(account_id)
    if found is None:
        raise AccountUnknown(f"There is no account {account_id}.", hint="List them with: trueup accounts")
    return found


def readable() -> frozenset[int]:
    """The ids of the accounts that can be read from Stripe: with a key of their own, or their platform's."""
    known = store.all_accounts()
    keyed = {account.id for account in known if account.has_api_key}
    return frozenset(account.id for account in known if account.id in keyed or account.parent_id in keyed)


def webhook_secrets(slug: str) -> tuple[WebhookSecret, ...]:
    """The active signing secrets of an account, newest first."""
    return tuple(known for known, _sealed in store.sealed_secrets(_own(slug, lock=False).id))


def api_key_of(account: Account, *, sealer: Sealer) -> str:
    """The account's API key in clear, or an empty string; never log it."""
    sealed = store.sealed_key(account.id)
    return "" if sealed is None else sealer.open(sealed, purpose=registry.KEY_PURPOSE).decode()


def check_key(sealer: Sealer) -> None:
    """Prove that the present key opens what this database holds; plants the canary at the first start.

    Raises ``Unsealable`` with the remedy, before anything is received that could not be opened later.
    """
    sealed = store.canary()
    if sealed is None:
        store.plant_canary(sealer.seal(CANARY, purpose=CANARY_PURPOSE))
        sealed = store.canary() or b""
    sealer.open(sealed, purpose=CANARY_PURPOSE)
