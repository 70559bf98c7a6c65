"""Every object of every event against Stripe's own description of the newest API version."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

Schema = dict[str, Any]

_ECHOES = {("subscription", "plan"), ("subscription", "quantity")}
"""Keys that Stripe still sends although its schema does not list them any more."""

_PAY = "pay-rails__pay/test/vcr_cassettes"
_KILN = "Kiln-AI__stripe_world/tests/conformance/cassettes"

_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "Decimal": (str,),
}


class Checker:
    """Collects what is wrong: a missing key, a null that may not be, a wrong type, an unknown key or enum value."""

    def __init__(self, schema: dict[str, Schema]) -> None:
        self._schema = schema
        # Some classes have a namesake in a namespace, such as ``plan`` and ``reserve.plan``; nobody means those here.
        self._by_class = {described["class"]: name for name, described in schema.items() if "." not in name}
        self.problems: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()

    def check(self, about: dict[str, Any], *, as_kind: str = "", without: frozenset[str] = frozenset()) -> None:
        kind = as_kind or about["object"]
        self.checked[kind] += 1
        self._fields(about, self._schema[kind]["fields"], kind, without)

    def _fields(self, about: dict[str, Any], fields: Schema, where: str, without: frozenset[str] = frozenset()) -> None:
        for name, field in fields.items():
            if name not in without:
                self._value(about.get(name), field, f"{where}.{name}")
        for name in about.keys() - fields.keys():
            if (where, name) not in _ECHOES:
                self.problems[f"{where}.{name}: not in the schema"] += 1

    def _value(self, value: Any, field: Schema, where: str) -> None:
        kind = field["t"]
        if value is None:
            if not field.get("null") and kind != "Any":
                self.problems[f"{where}: null or missing"] += 1
        elif kind in _SCALARS:
            self._demand((type(value) is bool) == (kind == "bool") and isinstance(value, _SCALARS[kind]), where, value)
        elif kind == "enum":
            self._demand(value in field["values"], where, value)
        elif kind in {"list", "listobj", "map"}:
            self._each(value, field, where)
        elif kind == "obj":
            self._fields(value, field["fields"], where)
        elif kind == "ref" and isinstance(value, dict):
            self.check(value, as_kind=self._by_class[field["ref"]])
        elif kind in {"ref", "union"}:
            self._demand(isinstance(value, str) and bool(field.get("expandable")), where, value)

    def _each(self, value: Any, field: Schema, where: str) -> None:
        if field["t"] == "listobj":
            self._demand(value["object"] == "list" and value["has_more"] is False, where, value)
            value = value["data"]
        self._demand(isinstance(value, dict if field["t"] == "map" else list), where, value)
        for one in value.values() if field["t"] == "map" else value:
            self._value(one, field["of"], where)

    def _demand(self, holds: bool, where: str, value: Any) -> None:
        if not holds:
            self.problems[f"{where}: {value!r}"] += 1


@pytest.fixture(scope="module")
def schema(shared: Path) -> dict[str, Schema]:
    found: dict[str, Schema] = json.loads((shared / "stripe" / "schema-16.1.0.json").read_text())
    return found


def test_every_object_has_the_shape_of_the_newest_version(
    schema: dict[str, Schema], year: list[dict[str, Any]], hour: list[dict[str, Any]]
) -> None:
    checker = Checker(schema)
    for event in year + hour:
        # The preview of an invoice is the one object that Stripe sends without an id, which its schema does not say.
        checker.check(event["data"]["object"], without=frozenset({"id"} if event["type"] == "invoice.upcoming" else ()))
        checker.check(event)

    assert checker.problems == Counter()
    assert checker.checked.keys() >= {
        "event", "customer", "subscription", "subscription_item", "invoice", "line_item", "invoice_payment", "price",
        "product", "plan", "coupon", "discount", "payment_method", "payment_intent", "charge", "refund",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "recorded", "left_out"),
    [
        # These two were asked for; a webhook does not have them.
        ("customer", f"{_PAY}/test_billing_portal_session/000.customer.json", {"invoice_credit_balance", "tax"}),
        ("subscription", f"{_PAY}/test_connect_direct_subscription/006.subscription.json", set()),
        ("invoice", f"{_PAY}/test_connect_direct_subscription/010.invoice.json", set()),
        ("payment_method", f"{_PAY}/test_connect_account/002.payment_method.json", set()),
        (
            "payment_intent",
            f"{_KILN}/05_refunds_disputes.payment_intent.json",
            {"shared_payment_granted_token"},
        ),
        ("refund", f"{_KILN}/05_refunds_disputes.refund.json", set()),
        (
            "charge",
            f"{_PAY}/test_stripe_can_pause_and_resume_a_subscription/005.charge.json",
            {"destination", "dispute", "order", "refunds"},
        ),
    ],
)
def test_an_object_has_every_key_that_stripe_was_recorded_to_send(
    kind: str, recorded: str, left_out: set[str], shared: Path, year: list[dict[str, Any]]
) -> None:
    theirs = json.loads((shared / "stripe" / "corpus" / recorded).read_text())
    ours = next(about for event in year if (about := event["data"]["object"])["object"] == kind)

    assert theirs.keys() - ours.keys() == left_out
    # The lists inside are compared by their first member.
    for part, inside in (("items", "data"), ("lines", "data")):
        if part in theirs:
            assert theirs[part][inside][0].keys() <= ours[part][inside][0].keys()
            assert theirs[part].keys() == ours[part].keys()
    for part in ("card", "parent", "status_transitions", "automatic_tax", "billing_mode", "invoice_settings"):
        if theirs.get(part):
            assert theirs[part].keys() <= ours[part].keys()


@pytest.mark.parametrize(
    ("_case", "change", "problem"),
    [
        ("a key that must be there", {"customer": None}, "subscription.customer: null or missing"),
        ("a wrong type", {"created": "now"}, "subscription.created: 'now'"),
        ("a bool is no number", {"created": True}, "subscription.created: True"),
        ("an unknown status", {"status": "asleep"}, "subscription.status: 'asleep'"),
        ("a key of an old version", {"current_period_end": 1}, "subscription.current_period_end: not in the schema"),
        ("an object where an id may stand", {"customer": {"id": "cus_1"}}, "customer.created: null or missing"),
    ],
)
def test_the_check_itself_sees_what_is_wrong(
    _case: str,
    change: dict[str, Any],
    problem: str,
    schema: dict[str, Schema],
    year: list[dict[str, Any]],
) -> None:
    created = next(event["data"]["object"] for event in year if event["type"] == "customer.subscription.created")
    checker = Checker(schema)

    checker.check({**created, **change})

    assert problem in checker.problems
