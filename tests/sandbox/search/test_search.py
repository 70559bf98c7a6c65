"""Stripe's search query language, and what the index does not know yet."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.search.fields import FIELDS
from trueup.sandbox.search.query import matches, parse
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.running import Sandbox
from trueup.sandbox.wire.errors import StripeError

JANE: dict[str, Any] = {
    "created": 1_700_000_000,
    "email": "Jane.Doe@example.com",
    "metadata": {"plan": "Pro", 'a "key"': "7"},
    "name": 'Jane "JD" Doe',
    "phone": None,
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email:"jane.doe@example.com"', True),
        ("email:'JANE.DOE@EXAMPLE.COM'", True),
        ('email:"jane"', False),
        ('email~"jane"', True),
        ('email~"john"', False),
        ('-email~"john"', True),
        ('name:"Jane \\"JD\\" Doe"', True),
        ("phone:null", True),
        ("-phone:null", False),
        ('phone:"1"', False),
        ('-phone:"1"', True),
        ("created>1699999999", True),
        ("created>1700000000", False),
        ("created>=1700000000", True),
        ("created<1700000000", False),
        ("created<=1700000000", True),
        ("created:1700000000", True),
        ("created=1700000000", True),
        ('created:"1700000000"', True),
        ('metadata["plan"]:"pro"', True),
        ("metadata['plan']:'pro'", True),
        ('metadata["a \\"key\\""]:"7"', True),
        ('metadata["none"]:null', True),
        ('-metadata["plan"]:null', True),
        ('metadata["plan"]:"pro" AND email~"doe"', True),
        ('metadata["plan"]:"pro" email~"nobody"', False),
        ('metadata["plan"]:"free" or email~"doe"', True),
        ('metadata["plan"]:"free" OR email~"nobody"', False),
        ('  email~"doe"  ', True),
    ],
)
def test_a_query_finds(query: str, found: bool) -> None:
    assert matches(parse("customer", query), JANE) is found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("jane", "unable to parse"),
        ('email:"jane', "unable to parse"),
        ("email:jane", "unable to parse"),
        ('email:"a"name:"b"', "unable to parse"),
        ('(email:"a")', "unable to parse"),
        ('email:"a" AND', "unable to parse"),
        ('email:"a" AND AND name:"b"', "unable to parse"),
        ('plan:"pro"', "Field `plan` is an unsupported search field for resource `customers`"),
        ('email:"a" AND name:"b" OR phone:"c"', "combine AND and OR"),
        ('email~"ab"', "at least 3"),
        ('created~"170"', "numeric"),
        ('created>"soon"', "numeric"),
        ("email>5", "cannot be compared"),
        ('metadata["plan"]~"pro"', "substring"),
        (" ".join(['name:"a"'] * 11), "at most 10"),
    ],
)
def test_a_query_is_refused(query: str, message: str) -> None:
    with pytest.raises(StripeError, match=message) as refused:
        parse("customer", query)
    assert refused.value.param == "query"


@given(st.text(max_size=60), st.sampled_from(sorted(FIELDS)))
def test_any_text_is_a_query_or_refused(text: str, kind: str) -> None:
    try:
        query = parse(kind, text)
    except StripeError:
        return
    assert query.clauses


@pytest.mark.parametrize(
    ("kind", "query", "obj"),
    [
        ("charge", 'payment_method_details.card.last4:"4242"', {"payment_method_details": {"card": {"last4": "4242"}}}),
        (
            "charge",
            "payment_method_details.card.exp_year>2029",
            {"payment_method_details": {"card": {"exp_year": 2030}}},
        ),
        (
            "charge",
            'billing_details.address.postal_code:"1000"',
            {"billing_details": {"address": {"postal_code": "1000"}}},
        ),
        ("charge", 'disputed:"true"', {"disputed": True}),
        ("invoice", 'subscription:"sub_1"', {"parent": {"subscription_details": {"subscription": "sub_1"}}}),
        ("invoice", "total>99", {"total": 100}),
        ("payment_intent", 'status:"succeeded" AND amount>5', {"status": "succeeded", "amount": 6}),
        ("price", 'active:"true" AND lookup_key~"pro"', {"active": True, "lookup_key": "new_pro"}),
        ("product", "active:'false' url:null", {"active": False, "url": None}),
        ("subscription", 'status:"active" canceled_at:null', {"status": "active", "canceled_at": None}),
    ],
)
def test_each_kind_has_its_fields(kind: str, query: str, obj: dict[str, Any]) -> None:
    assert matches(parse(kind, query), obj)
    assert not matches(parse(kind, query), {})


def test_what_changed_is_found_after_the_lag(api: Any) -> None:
    customer = api.post("/v1/customers", name="Jane Doe")["id"]

    def found(name: str) -> list[str]:
        return [one["id"] for one in api.get("/v1/customers/search", query=f'name:"{name}"')["data"]]

    assert found("Jane Doe") == []
    api.advance(59)
    assert found("Jane Doe") == []
    api.advance(1)
    assert found("Jane Doe") == [customer]
    api.post(f"/v1/customers/{customer}", name="Jane Roe")
    assert found("Jane Doe") == found("Jane Roe") == []
    api.advance(60)
    assert (found("Jane Doe"), found("Jane Roe")) == ([], [customer])


def test_the_lag_is_a_setting(api: Any, engine: Engine) -> None:
    engine.store.put_meta("search_lag", "0")
    product = api.post("/v1/products", name="Pro")["id"]

    assert [one["id"] for one in api.get("/v1/products/search", query='name~"pro"')["data"]] == [product]
    api.delete(f"/v1/products/{product}")
    assert api.get("/v1/products/search", query='name~"pro"')["data"] == []


def test_a_customer_of_a_test_clock_is_found_by_the_sandboxs_own_time(api: Any) -> None:
    clock = api.post("/v1/test_helpers/test_clocks", frozen_time=1_900_000_000)["id"]
    customer = api.post("/v1/customers", name="Jane Doe", test_clock=clock)["id"]

    assert api.get("/v1/customers/search", query='name:"Jane Doe"')["data"] == []
    api.advance(60)
    assert api.get("/v1/customers/search", query='name:"Jane Doe"')["data"][0]["id"] == customer


def test_pages_follow_each_other(api: Any) -> None:
    made = [api.post("/v1/customers", name="Jane Doe")["id"] for _ in range(5)]
    api.advance(60)
    pages: list[list[str]] = []
    page: dict[str, Any] = {}

    while True:
        answer = api.get("/v1/customers/search", query='name:"Jane Doe"', limit=2, **page)
        pages.append([one["id"] for one in answer["data"]])
        if not answer["has_more"]:
            break
        page = {"page": answer["next_page"]}

    assert answer["next_page"] is None
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]


@pytest.mark.parametrize("page", ["nonsense", "é", "a", "A" * 40])
def test_a_page_that_never_was_is_refused(api: Any, page: str) -> None:
    assert api.get("/v1/customers/search", query='name:"a"', page=page, error=True)["param"] == "page"


def test_a_page_belongs_to_its_query(api: Any) -> None:
    for _ in range(2):
        api.post("/v1/customers", name="Jane Doe")
    api.advance(60)
    page = api.get("/v1/customers/search", query='name:"Jane Doe"', limit=1)["next_page"]

    assert api.get("/v1/customers/search", query='name~"Jane"', page=page, error=True)["param"] == "page"


def test_the_total_is_told_when_asked_for(api: Any) -> None:
    for _ in range(3):
        api.post("/v1/customers", name="Jane Doe")
    api.advance(60)

    asked = {"query": 'name:"Jane Doe"', "limit": 1}
    assert "total_count" not in api.get("/v1/customers/search", **asked)
    assert api.get("/v1/customers/search", **asked, expand=["total_count"])["total_count"] == 3
    assert api.get("/v1/customers/search", **asked, expand=["data.tax"])["data"][0]["tax"]["provider"] == "stripe"


def test_every_kind_answers(api: Any) -> None:
    for kind in FIELDS:
        answer = api.get(f"/v1/{kind}s/search", query='metadata["a"]:"b"')
        assert (answer["data"], answer["has_more"], answer["url"]) == ([], False, f"/v1/{kind}s/search")


def test_the_sdk_pages_through_what_it_finds(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    made = [sdk.v1.customers.create({"metadata": {"user_id": "7"}}).id for _ in range(3)]
    sandbox.engine.advance(sandbox.engine.now() + 60)

    found = sdk.v1.customers.search({"query": "metadata['user_id']:'7'", "limit": 1})

    assert [one.id for one in found.auto_paging_iter()] == made[::-1]
