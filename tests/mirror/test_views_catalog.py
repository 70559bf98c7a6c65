"""Which views there are: what the recorded schema gives, with names and columns that somebody can use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools import stripe_views
from trueup.mirror.views import catalog, sql
from trueup.mirror.views.catalog import VIEWS, Column, Kind, View

Json = dict[str, Any]


@pytest.fixture(scope="module")
def schema(shared: Path) -> Json:
    """Every resource of Stripe's newest API."""
    told: Json = json.loads((shared / stripe_views.SCHEMA).read_bytes())
    return told


def named(name: str) -> View:
    """The view of that name."""
    (view,) = [view for view in VIEWS if view.name == name]
    return view


def test_the_tables_in_the_repository_are_what_the_schema_gives(schema: Json, repository: Path) -> None:
    written = {path: (repository / path).read_text(encoding="utf-8") for path in stripe_views.outputs(schema)}

    assert written == stripe_views.outputs(schema)
    assert len(written) == 2


def test_the_list_in_the_docs_is_that_of_the_views(repository: Path) -> None:
    page = (repository / stripe_views.DOCS).read_text(encoding="utf-8")
    text = stripe_views.listing({view.name: len(sql.select_list(view)) for view in VIEWS})

    assert stripe_views.documented(page, text) == page
    assert "`customers` (" in text


def test_a_page_without_a_place_for_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        stripe_views.documented("# A page", "a list")


def test_every_type_with_an_id_has_a_view_unless_it_stands_inside_others_or_is_the_log(schema: Json) -> None:
    with_id = {name.partition("@")[0] for name, resource in schema.items() if "id" in resource["fields"]}
    inside = {rows for rows, _, _ in catalog.CHILDREN.values()} - stripe_views.PARTS.keys()

    own = {view.object_type for view in VIEWS if view.child is None}

    assert own == with_id - inside - stripe_views.LOG
    assert inside == {"subscription_item", "line_item", "credit_note_line_item", "item"}
    assert len(own) > 150


def test_every_field_of_a_resource_is_a_column(schema: Json) -> None:
    missing = {
        (view.object_type, field)
        for view in VIEWS
        if view.child is None
        for field in (schema.get(view.object_type) or schema[f"{view.object_type}@v2"])["fields"]
        if field.rstrip("_") not in {name for name, _, _ in sql.select_list(view)}
    }

    assert missing == set()


def test_whatever_stripe_describes_as_a_moment_is_one(schema: Json) -> None:
    described = re.compile(r"epoch|timestamp|time at which|\bdate\b", re.IGNORECASE)
    moments = {
        (view.object_type, column.name)
        for view in VIEWS
        for column in view.columns
        if column.kind in {Kind.MOMENT, Kind.MILLISECONDS}
    }
    told = {
        (name.partition("@")[0], field): told["doc"]
        for name, resource in schema.items()
        for field, told in resource["fields"].items()
        if told["t"] == "int" and described.search(told.get("doc", ""))
    }

    overlooked = {place for place in told.keys() - moments if place[0] in {view.object_type for view in VIEWS}}

    # Its description speaks of a balance that carries over to a later date.
    assert overlooked <= {("invoice", "amount_due")}
    assert ("terminal.reader", "last_seen_at") in moments
    assert len(moments) > 200


def test_names_are_unique_in_a_view_and_fit_into_postgresql() -> None:
    names = [view.name for view in VIEWS]
    repeated = {view.name for view in VIEWS if len({name for name, _, _ in sql.select_list(view)}) < columns_of(view)}
    odd = {
        name
        for view in VIEWS
        for name in (view.name, *(name for name, _, _ in sql.select_list(view)))
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name)
    }

    assert len(names) == len(set(names))
    assert "objects" not in names
    assert repeated == set()
    assert odd == set()


def columns_of(view: View) -> int:
    return len(sql.select_list(view))


@pytest.mark.parametrize(
    ("object_type", "name"),
    [
        ("customer", "customers"),
        ("capability", "capabilities"),
        ("payout", "payouts"),
        ("issuing.card", "issuing_cards"),
        ("billing.meter_event_summary", "billing_meter_event_summaries"),
        ("v2.money_management.financial_address", "v2_money_management_financial_addresses"),
        ("tax_id", "tax_ids"),
        ("invoiceitem", "invoice_items"),
        ("survey", "surveys"),
    ],
)
def test_a_view_is_named_as_people_expect(object_type: str, name: str) -> None:
    assert catalog.view_name(object_type) == name


@pytest.mark.parametrize(
    ("view", "column", "kind"),
    [
        ("customers", "balance", Kind.BIGINT),
        ("customers", "created", Kind.MOMENT),
        ("customers", "deleted", Kind.DELETED),
        ("customers", "delinquent", Kind.BOOLEAN),
        ("customers", "default_source", Kind.ID),
        ("customers", "discount", Kind.EMBEDDED),
        ("customers", "metadata", Kind.OBJECT),
        ("customers", "preferred_locales", Kind.ARRAY),
        ("coupons", "percent_off", Kind.NUMERIC),
        ("prices", "unit_amount_decimal", Kind.NUMERIC),
        ("subscriptions", "status", Kind.TEXT),
        ("subscriptions", "customer", Kind.CUSTOMER),
        ("subscriptions", "latest_invoice", Kind.ID),
        ("subscription_items", "current_period_end", Kind.MOMENT),
        ("subscription_items", "price", Kind.EMBEDDED),
        ("invoices", "next_payment_attempt", Kind.MOMENT),
        ("invoices", "amount_due", Kind.BIGINT),
        ("terminal_readers", "last_seen_at", Kind.MILLISECONDS),
        ("v2_core_accounts", "created", Kind.MOMENT),
        ("v2_money_management_inbound_transfers", "from", Kind.OBJECT),
    ],
)
def test_a_column_holds_what_its_field_holds(view: str, column: str, kind: Kind) -> None:
    assert Column(name=column, kind=kind) in named(view).columns


def test_an_embedded_object_has_its_id_beside_it() -> None:
    listed = [(name, kind) for name, kind, _ in sql.select_list(named("subscription_items"))]

    assert listed[:2] == [("id", "text"), ("subscription", "text")]
    assert listed[listed.index(("price", "jsonb")) + 1] == ("price_id", "text")
    assert [name for name, _ in listed].count("subscription") == 1


def test_an_embedded_object_whose_id_would_hide_a_field_is_refused() -> None:
    fields = {"price": {"t": "ref", "ref": "Price"}, "price_id": {"t": "str"}}

    with pytest.raises(ValueError, match="price_id is a field already"):
        stripe_views.columns(fields, {"Price": True})


def test_every_view_ends_with_our_columns() -> None:
    ours = ["_account", "_livemode", "_deleted", "_event_id", "_updated_at", "_data"]

    assert {tuple(name for name, _, _ in sql.select_list(view)[-6:]) for view in VIEWS} == {tuple(ours)}


def test_another_word_of_sql_is_another_version() -> None:
    made = sql.everything()
    other = sql.typed(named("customers"))

    assert sql.digest(made) == sql.digest(sql.everything())
    assert sql.digest(made) != sql.digest((*made, other))
    assert re.fullmatch("[0-9a-f]{16}", sql.digest(made))
