"""What the payer is asked to do before money moves."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.payment_methods import prints
from trueup.sandbox.world.world import Obj, World

_DIRECT: Final = frozenset(
    {"card", "link", "us_bank_account", "sepa_debit", "acss_debit", "bacs_debit", "au_becs_debit"}
)
_THREE_D_SECURE: Final = "https://hooks.stripe.com/3d_secure_2/hosted"
_REDIRECT: Final = "https://pm-redirects.stripe.com/authorize"


def redirects(method: Obj) -> bool:
    """Whether the payer has to visit the method's own page."""
    return method["type"] not in _DIRECT


def redirect(world: World, intent: Obj) -> Obj:
    """``next_action`` for a method with a page of its own."""
    return_url = intent.get("$return_url")
    url = f"{_REDIRECT}/{account_id(world)}/pa_nonce_{world.ids.text(24)}"
    return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}


def three_d_secure(world: World, intent: Obj) -> Obj:
    """``next_action`` for a card whose holder has to authenticate: a page where there is a way back, else Stripe's scripts."""
    account = account_id(world)
    source = "payatt_3" + world.ids.text(23)
    return_url = intent.get("$return_url")
    if return_url:
        query = {
            "merchant": account,
            intent["object"]: intent["id"],
            f"{intent['object']}_client_secret": intent["client_secret"],
            "publishable_key": "pk_test_" + prints.text(world, "publishable", 24),
            "source": source,
        }
        url = f"{_THREE_D_SECURE}?{urlencode(query)}"
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "directory_server_encryption": {
                "algorithm": "RSA",
                "certificate": "",
                "directory_server_id": "A000000003",
                "root_certificate_authorities": [],
            },
            "directory_server_name": "visa",
            "merchant": account,
            "one_click_authn": None,
            "server_transaction_id": _uuid(world),
            "three_d_secure_2_source": source,
            "three_ds_frontend_optimizations": None,
            "three_ds_method_url": "",
            "three_ds_optimizations": "kf",
            "type": "stripe_3ds2_fingerprint",
        },
    }


def _uuid(world: World) -> str:
    text = f"{world.ids.number() % 16**32:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
