"""What the payer is asked to do before money moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.assumptions import MICRODEPOSIT_DAYS
from trueup.sandbox.payment_methods import prints
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_DIRECT: Final = frozenset(
    {"card", "link", "us_bank_account", "sepa_debit", "acss_debit", "bacs_debit", "au_becs_debit"}
)
_THREE_D_SECURE: Final = "https://hooks.stripe.com/3d_secure_2/hosted"
_REDIRECT: Final = "https://pm-redirects.stripe.com/authorize"

_SENT: Final = {"32,45": "SM11AA", "10,11": "SM33CC", "40,41": "SM44DD"}
"""Two deposits, in minor units, and the code that says the same. Source: https://docs.stripe.com/testing"""


def wanted(world: World, intent: Obj, method: Obj) -> Obj | None:
    """``next_action`` that a kind of payment method always needs; None for those that can be charged as they are."""
    if _redirects(method):
        return _redirect(world, intent)
    return _microdeposits(world) if _unverified(method, intent) else None


def _redirects(method: Obj) -> bool:
    """Whether the payer has to visit the method's own page."""
    return method["type"] not in _DIRECT


def _redirect(world: World, intent: Obj) -> Obj:
    """``next_action`` for a method with a page of its own."""
    return_url = intent.get("$return_url")
    url = f"{_REDIRECT}/{account_id(world)}/pa_nonce_{world.ids.text(24)}"
    return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}


def three_d_secure(world: World, intent: Obj) -> Obj:
    """``next_action`` for a card whose holder has to authenticate: a page, or scripts where no way leads back."""
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


def _unverified(method: Obj, intent: Obj) -> bool:
    """Whether a bank account has to be verified before it can be debited."""
    if method["type"] != "us_bank_account" or method.get("$verified"):
        return False
    chosen = (intent["payment_method_options"].get("us_bank_account") or {}).get("verification_method")
    return chosen != "skip"


def _microdeposits(world: World) -> Obj:
    """``next_action`` for a bank account that is verified by what arrives on it."""
    midnight = datetime.fromtimestamp(world.now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": int((midnight + timedelta(days=MICRODEPOSIT_DAYS)).timestamp()),
            "hosted_verification_url": f"https://payments.stripe.com/microdeposit/sacs_test_{world.ids.text(32)}",
            "microdeposit_type": "descriptor_code",
        },
    }


def verifies(amounts: Sequence[int] | None, descriptor_code: str | None) -> bool:
    """Whether what was read on the account's statement is what the test world sent; either way of saying it counts.

    Raises Stripe's 400s for what simulates a failure, and for what was not sent.
    """
    if amounts is None and descriptor_code is None:
        raise invalid("You must provide either `amounts` or `descriptor_code`.", code="parameter_missing")
    if descriptor_code is not None:
        told, mismatch = descriptor_code, "payment_method_microdeposit_verification_descriptor_code_mismatch"
        words = "descriptor code"
    else:
        told = _SENT.get(",".join(str(amount) for amount in sorted(amounts or ())), "")
        mismatch, words = "payment_method_microdeposit_verification_amounts_mismatch", "amounts"
    if told == "SM11AA":
        return True
    if told in {"SM33CC", "SM44DD"}:
        ends = "attempts_exceeded" if told == "SM33CC" else "timeout"
        message = "You have exceeded the number of allowed verification attempts."
        raise invalid(
            message if told == "SM33CC" else "The microdeposits were not verified in time.",
            code=f"payment_method_microdeposit_verification_{ends}",
        )
    raise invalid(f"The {words} you provided did not match what we sent to the bank account.", code=mismatch)
