"""Commands on Stripe accounts and their webhook secrets."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.accounts import service as accounts
from trueup.accounts.types import Access
from trueup.connectors.stripe import client as stripe
from trueup.inbox.intake.app import PREFIX
from trueup.kernel.modes import mode_name
from trueup.mirror.backfill import service as backfill
from trueup.ops import asking, output, schema
from trueup.ops.actors import command_line
from trueup.runtime import configuration, installation

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
secrets_app = typer.Typer(no_args_is_help=True, help="Signing secrets of an account's webhook endpoint.")


def connect(
    name: Annotated[str, typer.Option(help="Names the account; part of its webhook address.")],
    api_key: Annotated[str, typer.Option(help="A restricted (rk_…) or secret key.", envvar="TRUEUP_API_KEY")] = "",
    webhook_secret: Annotated[
        list[str] | None, typer.Option(help="The endpoint's signing secret (whsec_…); may be given several times.")
    ] = None,
    api_base: Annotated[str | None, typer.Option(help="Another address for Stripe's API, such as a sandbox.")] = None,
    live: Annotated[bool | None, typer.Option("--live/--test", help="The mode, where no key tells it.")] = None,
    access: Annotated[Access | None, typer.Option(help="watch (read only, the default) or act.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask Stripe who the key belongs to, and read nothing yet.")
    ] = False,
    read_all: Annotated[
        bool, typer.Option("--backfill/--no-backfill", help="Have the worker read all objects the first time.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Connect a Stripe account, or bring one of this name up to date."""
    schema.prepare()
    # Before Stripe is asked: what we would refuse anyway, a mistyped key for instance, need not leave this host.
    accounts.check(
        name=name,
        api_key=api_key,
        webhook_secrets=webhook_secret or [],
        livemode=live,
        access=access,
        api_base=api_base,
    )
    stripe_account_id = None if offline or not api_key else stripe.account_id(api_key, api_base=api_base)
    account = accounts.connect(
        name=name,
        api_key=api_key,
        webhook_secrets=webhook_secret or [],
        livemode=live,
        access=access,
        api_base=api_base,
        stripe_account_id=stripe_account_id,
        sealer=installation.sealer(),
        by=command_line(),
    )
    run = None
    if read_all and api_key and not offline and backfill.last(account) is None:
        run = backfill.start(account=account, by=command_line())
    url = f"{configuration.current().base_url}{PREFIX}{account.slug}"
    if as_json:
        output.emit({"account": account, "webhook_url": url, "backfill": run})
        return
    output.done(f"{account.slug}: {mode_name(account.livemode)} mode, {account.access.value}.")
    output.say(f"  Webhook address: {url}")
    if run is not None:
        output.say(f"  The worker reads all its objects (trueup up); how far it is: trueup backfill {account.slug}")
    if not accounts.webhook_secrets(account.slug):
        output.say(f"  It refuses everything until it has a signing secret: trueup secrets add {account.slug}")
    if account.livemode and not (configuration.current().tls_cert or configuration.current().trusted_proxies):
        output.say(
            "  A live account's events are taken over TLS only: "
            "use --tls-cert/--tls-key, or name your TLS proxy in TRUEUP_TRUSTED_PROXIES."
        )


def list_accounts(as_json: AsJson = False) -> None:
    """List the accounts."""
    schema.prepare()
    found = accounts.accounts()
    if as_json:
        output.emit(found)
        return
    base = configuration.current().base_url
    rows = (
        (
            account.slug,
            mode_name(account.livemode),
            account.access.value,
            account.stripe_account_id,
            "connected" if account.parent_id else f"{base}{PREFIX}{account.slug}",
        )
        for account in found
    )
    output.table(
        ["Account", "Mode", "Access", "Stripe", "Webhook address"],
        rows,
        empty="No account yet. Connect one with: trueup connect --name NAME …",
    )


@secrets_app.command("list")
def list_secrets(account: str, as_json: AsJson = False) -> None:
    """List an account's active signing secrets by their last four characters."""
    schema.prepare()
    found = accounts.webhook_secrets(account)
    if as_json:
        output.emit(found)
        return
    rows = ((secret.id, f"whsec_…{secret.hint}", output.when(secret.created_at)) for secret in found)
    output.table(["Id", "Secret", "Since"], rows, empty="None: the endpoint refuses everything.")


@secrets_app.command("add")
def add_secret(
    account: str,
    secret: Annotated[
        str | None, typer.Option(help="whsec_…; when left out it is asked for, or read from a pipe.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Accept another signing secret; running processes see it within two seconds."""
    given = asking.secret("Signing secret", option="--secret") if secret is None else secret
    schema.prepare()
    added = accounts.add_webhook_secret(slug=account, secret=given, sealer=installation.sealer(), by=command_line())
    if as_json:
        output.emit(added)
        return
    output.done(f"{account} accepts whsec_…{added.hint} (id {added.id}).")


@secrets_app.command("retire")
def retire_secret(account: str, secret_id: int) -> None:
    """Stop accepting a signing secret, once its successor is in use."""
    schema.prepare()
    accounts.retire_webhook_secret(slug=account, secret_id=secret_id, by=command_line())
    output.done(f"{account} no longer accepts secret {secret_id}.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(connect)
    app.command("accounts")(list_accounts)
    app.add_typer(secrets_app, name="secrets")
