"""The shapes of payments against those that were recorded from Stripe."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.sandbox.conftest import Api, Json
from tests.sandbox.payments.conftest import pay, payer
from trueup.sandbox.payments import intents
from trueup.sandbox.world.world import render

FIRST: Final = "2025-10"
RANDOM: Final = (
    "id created client_secret fingerprint exp_month exp_year authorization_code network_transaction_id risk_score "
    "receipt_url available_on capture_before order_reference url network_status"
).split()
"""Fields whose values are ids, times, tokens, or random."""

OF_THE_ACCOUNT: Final = (
    "calculated_statement_descriptor payment_method_types payment_method_options payment_method_configuration_details"
).split()
"""Fields that say what the account that was recorded had switched on."""


def _recorded(shared: Path, kind: str) -> Iterator[Json]:
    folder = shared / "stripe" / "corpus"
    with (folder / "INDEX.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            if row["kind"] == "object" and row["type"] == kind and row["api_version"] >= FIRST:
                yield json.loads((folder / row["file"]).read_bytes())


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in RANDOM and name not in OF_THE_ACCOUNT:
                yield from _leaves(one, f"{path}.{name}")
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _leaves(one, f"{path}[{at}]")
    else:
        yield path, "<id>" if isinstance(value, str) and _id(value) else value


def _id(text: str) -> bool:
    head, _, tail = text.partition("_")
    return head in {"ch", "pi", "pm", "cus", "txn", "re", "acct", "in"} and len(tail) >= 14


def _equal(recorded: Json, ours: Json, differing: Counter[str]) -> tuple[int, int]:
    """Leaves that are the same in both, of all that were recorded; what the newest version lacks is left out."""
    mine = dict(_leaves(ours))
    same = total = 0
    for path, value in _leaves(recorded):
        if path.rsplit(".", 1)[-1] in {
            "destination",
            "dispute",
            "order",
            "shared_payment_granted_token",
            "total_count",
        }:
            continue
        total += 1
        if mine.get(path, "<absent>") == value:
            same += 1
        else:
            differing[f"{path}: {value!r} is {mine.get(path, '<absent>')!r} here"] += 1
    return same, total


def _sent(shown: Json) -> Json:
    """The parameters that an object was made of: without what is null."""
    return {name: _sent(one) if isinstance(one, dict) else one for name, one in shown.items() if one is not None}


def _paid(api: Api, like: Json, card: str = "pm_card_visa") -> Json:
    """A payment as the recorded intent describes it, by an invoice where an invoice made that one."""
    if like["status"] == "requires_action":
        card = "pm_card_authenticationRequired"
    customer, method = payer(api, card)
    if like["automatic_payment_methods"] is None and "payment_details" in like:
        return _of_invoice(api, like, customer, method)
    more: Json = {name: like[name] for name in ("description", "setup_future_usage", "metadata") if like.get(name)}
    if like.get("shipping"):
        more["shipping"] = _sent(like["shipping"])
    if not like["automatic_payment_methods"]:
        more["allowed_payment_method_types"] = ["card"]
    more |= {"capture_method": like["capture_method"], "return_url": "http://localhost:3000/"}
    intent = pay(api, customer, method, amount=like["amount"], **more)
    if like["capture_method"] == "manual" and like["status"] == "succeeded":
        api.post(f"/v1/payment_intents/{intent['id']}/capture")
    return intent


def _of_invoice(api: Api, like: Json, customer: str, method: str) -> Json:
    with api.engine.change() as world:
        attached = world.get("payment_method", method)
        intent = intents.create(
            world,
            amount=like["amount"],
            currency=like["currency"],
            customer=world.get("customer", customer),
            invoice={"id": "in_1SPPIUKXBGcbgpbZOz4hfuAB", "parent": {"type": "subscription_details"}},
            payment_method=attached,
            description=like["description"],
            setup_future_usage=like["setup_future_usage"],
        )
        intents.confirm(world, intent, payment_method=attached, off_session=True)
        return render(intent)


def test_payment_methods_are_as_recorded(api: Api, shared: Path) -> None:
    same = total = 0
    differing: Counter[str] = Counter()
    customer = api.post("/v1/customers")["id"]
    names = {"4242": "pm_card_visa", "9424": "pm_card_discover", "3184": "pm_card_authenticationRequired"}
    for recorded in _recorded(shared, "payment_method"):
        if recorded["type"] == "card":
            ours = api.post(f"/v1/payment_methods/{names[recorded['card']['last4']]}/attach", customer=customer)
        else:
            kind = recorded["type"]
            bank = {name: value for name, value in recorded[kind].items() if name == "bank"}
            billing = {name: value for name, value in recorded["billing_details"].items() if isinstance(value, str)}
            params: Json = {name: value for name, value in ((kind, bank), ("billing_details", billing)) if value}
            ours = api.post("/v1/payment_methods", type=kind, **params)
        equal = _equal(recorded, ours, differing)
        same, total = same + equal[0], total + equal[1]
    assert total > 900
    assert same == total, differing


def test_payment_intents_are_as_recorded(api: Api, shared: Path) -> None:
    same = total = 0
    differing: Counter[str] = Counter()
    for recorded in _recorded(shared, "payment_intent"):
        charge = recorded["latest_charge"]
        expand = ["latest_charge.payment_intent", "latest_charge.refunds"] if isinstance(charge, dict) else []
        ours = api.get("/v1/payment_intents/" + _paid(api, recorded)["id"], expand=expand)
        equal = _equal(recorded, ours, differing)
        same, total = same + equal[0], total + equal[1]
    assert total > 1500
    assert same / total >= 0.98, differing.most_common(40)


def test_charges_are_as_recorded(api: Api, shared: Path) -> None:
    same = total = 0
    differing: Counter[str] = Counter()
    for recorded in _recorded(shared, "charge"):
        card = "pm_card_" + recorded["payment_method_details"]["card"]["brand"]
        intent = _paid(api, recorded["payment_intent"], card)
        api.advance(10)
        expand = ["balance_transaction", "payment_intent", "refunds.data.balance_transaction"]
        ours = api.get("/v1/charges/" + intent["latest_charge"], expand=expand)
        equal = _equal(recorded, ours, differing)
        same, total = same + equal[0], total + equal[1]
    assert total > 4000
    assert same / total >= 0.98, differing.most_common(40)
