"""Requests of older API versions as the newest has them.

Sources: the request side of https://docs.stripe.com/changelog, and what the recorded requests came to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

Pairs = Sequence[tuple[str, str]]

_FLEXIBLE_SINCE: Final = "2025-09-30"
"""From this version on new subscriptions are of billing mode ``flexible``, before it they were ``classic``."""

_ASYNC_SINCE: Final = "2024-04-10"
"""From this version on payments are captured ``automatic_async`` unless told otherwise, before it ``automatic``."""

_AUTOMATIC_SINCE: Final = "2023-08-16"
"""From this version on an intent takes what the account offers, before it only cards unless told otherwise."""

_GONE: Final = re.compile(r"(?P<kept>latest_invoice)\.(payment_intent|charge|total_tax_amounts)\b.*|invoice\b.*")
"""What cannot be expanded any more, with what stood expanded on the way to it."""

_INCLUDING_UNTIL: Final = "2022-11-15"
"""Before this version an invoice took pending items in unless told otherwise."""

_PRORATE: Final = {"true": "create_prorations", "false": "none"}


def modern(path: str, params: Pairs, version: str) -> tuple[str, list[tuple[str, str]]]:
    """A request in the words of the newest version; ``{subscription_item}`` stands for an id that it did not name."""
    found: list[tuple[str, str]] = []
    owner = re.fullmatch(r"/v1/customers/([^/]+)/subscriptions", path)
    if owner:
        path = "/v1/subscriptions"
        found.append(("customer", owner[1]))
    for name, value in params:
        gone = _GONE.fullmatch(value) if name.startswith("expand") and not path.startswith("/v1/invoice") else None
        if gone is None:
            found += _parameter(path, name, value)
        elif gone["kept"]:
            found.append((name, gone["kept"]))
    changed = path.startswith("/v1/subscriptions/") and any(name.startswith("items[0]") for name, _ in found)
    if changed and "items[0][id]" not in dict(found):
        found.append(("items[0][id]", "{subscription_item}"))
    return path, [*found, *_defaults(path, dict(found), version)]


def _parameter(path: str, name: str, value: str) -> list[tuple[str, str]]:
    subscription = path.startswith("/v1/subscriptions")
    if name == "plan":
        return [("items[0][price]", value)]
    if name == "quantity" and subscription:
        return [("items[0][quantity]", value)]
    if name == "coupon" and subscription:
        return [("discounts[0][coupon]", value)]
    if name == "prorate":
        return [("proration_behavior", _PRORATE[value])]
    if name == "billing_cycle_anchor" and path != "/v1/subscriptions":
        return [("billing_cycle_anchor[type]", value)]
    return [(name.replace("[plan]", "[price]"), value)]


def _defaults(path: str, given: dict[str, str], version: str) -> list[tuple[str, str]]:
    """What was the default in a version and is not any more."""
    found = []
    if path == "/v1/subscriptions" and version < _FLEXIBLE_SINCE:
        found.append(("billing_mode[type]", "classic"))
    if path == "/v1/invoices" and version < _INCLUDING_UNTIL:
        found.append(("pending_invoice_items_behavior", "include"))
    if path == "/v1/payment_intents" and version < _ASYNC_SINCE and "capture_method" not in given:
        found.append(("capture_method", "automatic"))
    if path in {"/v1/payment_intents", "/v1/setup_intents"} and version < _AUTOMATIC_SINCE:
        found.append(("automatic_payment_methods[enabled]", "false"))
    return found
