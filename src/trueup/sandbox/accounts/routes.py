"""The account: one, made when the sandbox begins, with the settings its invoices and retries go by."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.world.world import Obj, World


def begin(world: World) -> None:
    """Make the account of a new sandbox."""
    account = world.new(
        "account",
        {
            "business_profile": {
                "annual_revenue": None,
                "estimated_worker_count": None,
                "mcc": None,
                "minority_owned_business_designation": None,
                "name": "Sandbox",
                "product_description": None,
                "support_address": None,
                "support_email": None,
                "support_phone": None,
                "support_url": None,
                "url": None,
            },
            "business_type": None,
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": True,
            "country": "US",
            "default_currency": "usd",
            "details_submitted": True,
            "email": "sandbox@example.com",
            "payouts_enabled": True,
            "settings": {
                "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
                "card_payments": {
                    "decline_on": {"avs_failure": False, "cvc_failure": False},
                    "statement_descriptor_prefix": None,
                    "statement_descriptor_prefix_kana": None,
                    "statement_descriptor_prefix_kanji": None,
                },
                "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
                "payments": {
                    "statement_descriptor": "SANDBOX",
                    "statement_descriptor_kana": None,
                    "statement_descriptor_kanji": None,
                },
            },
            "type": "standard",
        },
    )
    account.pop("livemode")
    world.store.put_meta("account", account["id"])


def account_id(world: World) -> str:
    """The id of the account that answers."""
    return world.store.meta("account", "")


def _retrieve_current(world: World, _call: Call) -> Obj:
    return world.get("account", account_id(world))


def _retrieve(world: World, call: Call) -> Obj:
    return world.get("account", call.ids["account"])


ROUTES: Final[dict[str, Handler]] = {
    "GET /v1/account": _retrieve_current,
    "GET /v1/accounts/{account}": _retrieve,
}
