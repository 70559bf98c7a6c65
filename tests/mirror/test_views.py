"""What a select answers: every recorded object column by column, null for what has another type, never an error."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.mirror.selecting import rows, scalar
from tests.web.console import world
from trueup.mirror.upcast import upcast
from trueup.mirror.views.catalog import VIEWS, Column, Kind, View

Json = dict[str, Any]
BY_NAME = {view.name: view for view in VIEWS}


pytestmark = pytest.mark.usefixtures("views")


def tell(*objects: Json, kind: str = "thing.updated") -> None:
    """Let one event after the other tell of these objects."""
    world.told(
        world.connect(), *(world.event(kind, about, at=world.START + place) for place, about in enumerate(objects))
    )


# What a column should show, said once more and otherwise than in SQL.


def moment(value: Any, a_second: int) -> datetime | None:
    known = type(value) is int and -62_135_596_800 * a_second <= value < 253_402_300_800 * a_second
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value) / a_second if known else None


def whole(value: Any) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def identifier(value: Any) -> str | None:
    return string(value.get("id") if type(value) is dict else value)


def string(value: Any) -> str | None:
    return value if type(value) is str else None


def decimal(value: Any) -> Decimal | None:
    return Decimal(str(value)) if type(value) in {int, float, str} else None


READERS: dict[Kind, Any] = {
    Kind.TEXT: string,
    Kind.ID: identifier,
    Kind.BIGINT: whole,
    Kind.NUMERIC: decimal,
    Kind.BOOLEAN: lambda value: value if type(value) is bool else None,
    Kind.MOMENT: lambda value: moment(value, 1),
    Kind.MILLISECONDS: lambda value: moment(value, 1000),
    Kind.OBJECT: lambda value: value if type(value) is dict else None,
    Kind.ARRAY: lambda value: value if type(value) is list else None,
    Kind.EMBEDDED: lambda value: value if type(value) is dict else None,
    Kind.CUSTOMER: lambda value: identifier(value) or None,
}


def objects_in(told: Any) -> Iterator[Json]:
    """Every Stripe object in a recorded payload, the ones inside others too."""
    if type(told) is dict and type(told.get("object")) is str:
        yield told
    for value in told.values() if type(told) is dict else told if type(told) is list else ():
        yield from objects_in(value)


def shown(told: Json, column: Column) -> Any:
    """What the column shows of a payload."""
    value: Any = told
    for name in column.path or (column.name,):
        value = value.get(name) if type(value) is dict else None
    return READERS[column.kind](value)


def expected(told: Json, view: View) -> Json:
    """What a row shows of a payload, but for ids of parents and our own columns."""
    found = {column.name: shown(told, column) for column in view.columns if column.kind is not Kind.DELETED}
    ids = [column.name for column in view.columns if column.kind is Kind.EMBEDDED]
    return found | {f"{name}_id": identifier(told.get(name)) for name in ids}


def payer(payloads: dict[tuple[str, str], Json], told: Json) -> str | None:
    """The customer of the charge that an object names."""
    charge = payloads.get(("charge", str(identifier(told.get("charge")))), {})
    return identifier(charge.get("customer")) or None


def test_every_recorded_object_is_selected_and_its_columns_tell_what_its_payload_tells(shared: Path) -> None:
    newest: dict[tuple[str, str], Json] = {}
    for file in sorted((shared / "stripe" / "corpus").rglob("*.json")):
        for told in objects_in(json.loads(file.read_bytes())):
            if type(told.get("id")) is str and told["id"] and told["object"] != "event":
                newest[told["object"], told["id"]] = told
    tell(*newest.values())
    payloads = {key: upcast(key[0], told) for key, told in newest.items()}

    compared: dict[str, int] = defaultdict(int)
    for view in VIEWS:
        for row in rows(f"select * from stripe.{view.name}"):
            told = payloads[view.object_type, row["id"]] if view.child is None else row["_data"]
            wanted = expected(told, view)
            if wanted.get("customer", "") is None and told.get("charge"):
                # The mirror knows whose a payment is, and what hangs on it; see mirror/about.py.
                wanted["customer"] = payer(payloads, told)
            assert {name: row[name] for name in wanted} == wanted, (view.name, row["id"])
            assert row.get("deleted", row["_deleted"]) is row["_deleted"]
            compared[view.name] += 1

    own = {view.object_type for view in VIEWS if view.child is None}
    assert sum(compared[view.name] for view in VIEWS if view.child is None) == sum(key[0] in own for key in newest)
    assert scalar("select count(*) from stripe.objects") == len(newest)
    assert len(newest) > 1000
    assert len([name for name in compared if compared[name]]) > 40
    items = [item["id"] for key, told in payloads.items() if key[0] == "subscription" for item in told["items"]["data"]]
    assert sorted(row["id"] for row in rows("select id from stripe.subscription_items")) == sorted(items)
    assert compared["invoice_line_items"] > 100


WRONG: list[Any] = [
    "12",
    "NaN",
    "",
    1.5,
    2**63,
    -(10**30),
    10**300,
    True,
    [],
    [1, "x"],
    {},
    {"id": 7},
    {"id": {"id": "x"}},
    json.loads('{"a":' * 100 + "null" + "}" * 100),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: str(value)[:30])
def test_a_value_of_another_type_is_null_and_stays_readable(wrong: Any) -> None:
    view = BY_NAME["billing_credit_grants"]
    about = {column.name: wrong for column in view.columns} | {"id": "gra_1", "object": "billing.credit_grant"}
    body = json.dumps(world.event("billing.credit_grant.updated", about))
    world.told(world.connect(), body.encode())

    (row,) = rows("select * from stripe.billing_credit_grants")

    assert {name: row[name] for name in expected(about, view)} == expected(about, view)
    assert None in row.values()
    assert row["_data"]["priority"] == wrong
    assert row["id"] == "gra_1"


def test_a_deleted_object_stays_with_its_last_words() -> None:
    account = world.connect()
    ada = world.customer("cus_1", "Ada", "ada@x.example")
    gone = world.event("customer.deleted", ada, at=world.START + 9, id="evt_gone")
    world.told(account, world.event("customer.created", ada), gone)

    assert rows(
        "select id, email, deleted, _account, _livemode, _deleted, _event_id, _updated_at from stripe.customers"
    ) == [
        {
            "id": "cus_1",
            "email": "ada@x.example",
            "deleted": True,
            "_account": "acme",
            "_livemode": False,
            "_deleted": True,
            "_event_id": "evt_gone",
            "_updated_at": datetime(2026, 9, 21, 14, 13, 29, tzinfo=UTC),
        }
    ]


def test_a_reference_shows_its_id_expanded_or_not() -> None:
    tell(
        world.subscription("sub_1", "cus_1", latest_invoice="in_1", default_payment_method=None),
        world.subscription("sub_2", "cus_1", latest_invoice={"id": "in_2", "object": "invoice"}),
    )

    assert rows("select id, customer, latest_invoice from stripe.subscriptions order by 1") == [
        {"id": "sub_1", "customer": "cus_1", "latest_invoice": "in_1"},
        {"id": "sub_2", "customer": "cus_1", "latest_invoice": "in_2"},
    ]


def test_items_stand_beside_their_subscription_in_stripes_order() -> None:
    about = world.subscription("sub_1", "cus_1", quantity=3)
    second = about["items"]["data"][0] | {"id": "si_second", "quantity": 1}
    about["items"]["data"].append(second)
    tell(about, world.subscription("sub_2", "cus_2", items={"object": "list", "data": "nothing"}))

    found = rows(
        "select i.id, i.subscription, i.quantity, i.price_id, i.product_id, i._position, s.status "
        "from stripe.subscriptions s join stripe.subscription_items i on i.subscription = s.id order by i._position"
    )

    assert [tuple(row.values()) for row in found] == [
        ("si_sub_1", "sub_1", 3, "price_pro", "prod_pro", 1, "active"),
        ("si_second", "sub_1", 1, "price_pro", "prod_pro", 2, "active"),
    ]


def test_phases_have_the_schedule_and_no_ids() -> None:
    phase = {"start_date": world.START, "end_date": world.START + world.DAY, "items": []}
    tell({"id": "sub_sched_1", "object": "subscription_schedule", "phases": [phase, "none"]})

    found = rows("select subscription_schedule, start_date, items, _position from stripe.subscription_schedule_phases")

    assert [tuple(row.values()) for row in found] == [
        ("sub_sched_1", datetime.fromtimestamp(world.START, UTC), [], 1),
        ("sub_sched_1", None, None, 2),
    ]


def test_types_and_words_that_nobody_knew_are_there() -> None:
    tell(
        {"id": "giz_1", "object": "gizmo", "size": 7},
        world.subscription("sub_1", "cus_1", status="hibernating"),
        {"id": "po_1", "object": "payout", "status": "on_the_moon"},
    )

    assert rows("select type, data ->> 'size' as size from stripe.objects where id = 'giz_1'") == [
        {"type": "gizmo", "size": "7"}
    ]
    assert scalar("select status from stripe.subscriptions") == "hibernating"
    assert scalar("select status from stripe.payouts") == "on_the_moon"


@pytest.mark.parametrize("hidden", ["\\u0000", "\\ud800", "\\u0000\\ud83d\\ude00"])
def test_an_event_that_postgresql_cannot_read_hides_no_other(hidden: str) -> None:
    account = world.connect()
    fine = world.event("payout.paid", {"id": "po_1", "object": "payout", "amount": 5})
    odd = world.event("payout.paid", {"id": "po_2", "object": "payout", "amount": 6}, id="evt_odd")
    body = json.dumps(odd | {"request": {"id": None, "idempotency_key": "HIDDEN"}}).replace("HIDDEN", hidden)
    world.told(account, fine, body.encode())

    found = rows("select id, amount from stripe.payouts order by 1")

    assert found[0] == {"id": "po_1", "amount": 5}
    assert found[1]["id"] == "po_2"
    assert found[1]["amount"] in {6, None}


def test_an_emoji_written_as_two_escapes_is_read() -> None:
    body = json.dumps(world.event("customer.created", world.customer("cus_1", "Zoë \U0001f600")))
    assert "\\ud83d\\ude00" in body
    world.told(world.connect(), body.encode())

    assert scalar("select name from stripe.customers") == "Zoë \U0001f600"
