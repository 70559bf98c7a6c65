"""A customer, and a team, of whom every word is an attack: pages show the words, and nothing of them becomes a page."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from typing_extensions import override

from tests.web.attacks.conftest import signed_in
from tests.web.attacks.walk import IDS, ROUTES, filled
from tests.web.console import world
from tests.web.console.streamed import whole
from trueup.accounts.types import Account
from trueup.customer.notes import service as notes
from trueup.customer.owners import service as owners
from trueup.customer.views import service as views
from trueup.kernel.actor import Actor, ActorKind
from trueup.operators.team import service as team
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Role, Scope
from trueup.web.console.urls import urlpatterns

EVIL = (
    "\"'><zq zq=1></zq><script>zq()</script><img src=x onerror=zq()></textarea></title></style>--><svg onload=zq()>"
    " {{ 7|add:42 }}zq {% zq %} ${7*7} \u202e\u2028\u2029 &lt;zq&gt; javascript:zq()"
)
LINK = "javascript:zq()//https://stripe.example/"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("https://evil.example")')
LINKS = {"href", "src", "action", "formaction", "xlink:href", "data", "poster", "background", "cite"}


class Seen(HTMLParser):
    """What a browser would find in a page that must not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.words = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "zq" in tag or any("zq" in name or name.startswith("on") or name == "style" for name in given):
            self.found.append(f"<{tag} {given}>")
        if tag in {"iframe", "object", "embed", "base"} or (
            tag == "script" and not given.get("src", "").startswith("/")
        ):
            self.found.append(f"<{tag}>")
        for name in LINKS & given.keys():
            scheme = given[name].strip().lower()
            if scheme.startswith(("javascript:", "vbscript:", "//")) or (scheme.startswith("data:") and tag != "img"):
                self.found.append(f"<{tag} {name}={given[name][:40]}>")
        computed = (given.get(name, "").strip() for name in ("hx-vals", "hx-headers", "hx-vars"))
        if any(one.startswith(("js:", "javascript:")) for one in computed) or any("hx-on" in name for name in given):
            self.found.append(f"<{tag} hx>")

    @override
    def handle_data(self, data: str) -> None:
        self.words += data


def made_by_data(page: str) -> list[str]:
    """What of a page was made by data."""
    seen = Seen()
    seen.feed(page)
    if "49zq" in seen.words:
        seen.found.append("a template was computed")
    return seen.found


def objects() -> list[tuple[str, dict[str, Any]]]:
    """What Stripe tells of a customer whose every field was written by somebody who means harm."""
    price = {
        "id": "price_evil",
        "object": "price",
        "product": "prod_evil",
        "nickname": EVIL,
        "currency": "usd",
        "unit_amount": 4900,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    items = {
        "object": "list",
        "data": [{"id": "si_evil", "object": "subscription_item", "price": price, "quantity": 1}],
    }
    of = {"customer": "cus_000", "currency": "usd", "created": world.START}
    about = world.customer("cus_000", EVIL, "a@x.example", metadata={EVIL[:40]: EVIL, "user_id": EVIL, "tags": EVIL})
    about |= {"description": EVIL, "phone": EVIL, "address": {"line1": EVIL, "city": EVIL, "country": EVIL[:9]}}
    about |= {"shipping": {"name": EVIL}, "invoice_prefix": EVIL, "preferred_locales": [EVIL]}
    failed = {"status": "failed", "paid": False, "failure_code": EVIL, "failure_message": EVIL, "amount": 4900}
    card = {"brand": EVIL, "last4": EVIL[:4], "exp_month": 1, "exp_year": 2030, "wallet": {"type": EVIL}}
    outcome = {"reason": EVIL, "seller_message": EVIL, "advice_code": EVIL, "type": EVIL}
    return [
        ("product.created", {"id": "prod_evil", "object": "product", "name": EVIL, "description": EVIL, "url": LINK}),
        ("customer.created", about),
        (
            "customer.subscription.created",
            world.subscription("sub_evil", "cus_000", status="past_due", items=items, description=EVIL)
            | {"cancellation_details": {"comment": EVIL, "reason": EVIL, "feedback": EVIL}},
        ),
        (
            "invoice.payment_failed",
            of
            | {
                "id": "in_evil",
                "object": "invoice",
                "number": EVIL,
                "status": "open",
                "total": 4900,
                "amount_due": 4900,
            }
            | {"hosted_invoice_url": LINK, "invoice_pdf": LINK, "description": EVIL, "amount_remaining": 4900}
            | {"lines": {"data": [{"id": "il_1", "description": EVIL, "amount": 4900}]}},
        ),
        (
            "charge.failed",
            of
            | {"id": "ch_evil", "object": "charge", "description": EVIL, "receipt_url": LINK, "outcome": outcome}
            | {"payment_method_details": {"type": "card", "card": card}, "billing_details": {"name": EVIL}}
            | failed,
        ),
        ("payment_method.attached", of | {"id": "pm_evil", "object": "payment_method", "type": "card", "card": card}),
    ]


@pytest.fixture
def evil(owner: Person) -> Account:
    """An account where all that somebody could write is an attack."""
    account, by = world.connect(), Actor(kind=ActorKind.OPERATOR, id=str(owner.id))
    for number, (kind, about) in enumerate(objects()):
        named = "evt_known" if number == 0 else ""
        world.told(account, world.event(kind, about, at=world.START + number, id=named))
    world.told(account, world.event("customer.updated", objects()[1][1] | {"name": EVIL + "!"}, at=world.START + 99))
    notes.add(id="cus_000", text=EVIL, by=by)
    views.save(name=EVIL[:60], parameters={"q": [EVIL[:50]]}, shared=True, by=by)
    tokens.create_token(name=EVIL[:100], scopes=[Scope.READ], by=by)
    team.invite(email="new@acme.example", name=EVIL[:100], roles=[Role.SALES], by=by)
    owners.assign(ids=["cus_000"], operator_id=owner.id, by=by)
    return account


def test_no_word_of_anybody_becomes_part_of_a_page(owner: Person, evil: Account) -> None:
    client, shown = signed_in(owner), 0
    for route in ROUTES:
        for part in ({}, {"hx-request": "true"}):
            answer = client.get(route.address, headers=part)
            if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
                continue
            page = answer.content.decode()
            assert (route.name, made_by_data(page)) == (route.name, [])
            shown += "onerror=zq()" in page
    # The walk is worth nothing where the words do not stand on the pages.
    assert shown > 20


def test_every_object_of_theirs_is_shown_as_text(owner: Person, evil: Account) -> None:
    client = signed_in(owner)
    pattern = next(str(one.pattern) for one in urlpatterns if one.name == "customer-object")
    for _kind, about in objects():
        address = filled(pattern, IDS | {"object_type": about["object"], "object_id": about["id"]})
        page = client.get(address).content.decode()
        assert made_by_data(page) == []


def test_what_a_reader_typed_comes_back_as_text(owner: Person, evil: Account) -> None:
    client = signed_in(owner)
    for route in ROUTES:
        for answer in (
            client.get(route.address, dict.fromkeys(route.asked, EVIL)),
            client.post(route.address, dict.fromkeys(route.asked, EVIL)) if route.name != "sign-out" else None,
        ):
            if answer is not None and not answer.streaming and "html" in answer.headers.get("Content-Type", ""):
                assert (route.name, made_by_data(answer.content.decode())) == (route.name, [])


def test_what_is_no_page_is_a_file_or_is_read_as_what_it_is(owner: Person, evil: Account) -> None:
    client = signed_in(owner)
    for route in ROUTES:
        answer = client.get(route.address)
        kind = answer.headers.get("Content-Type", "")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if kind.startswith(("application/octet-stream", "text/csv", "application/zip")):
            assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        else:
            assert kind.split(";")[0] in {"", "text/html", "text/css", "text/event-stream", "application/json"}


def test_no_cell_of_a_file_is_computed(owner: Person) -> None:
    account, client = world.connect(), signed_in(owner)
    for number, name in enumerate(FORMULAS):
        world.told(account, world.event("customer.created", world.customer(f"cus_{number}", name), at=world.START))

    told = whole(client.post("/customers/export")).decode()

    rows = list(csv.DictReader(io.StringIO(told)))
    assert len(rows) == len(FORMULAS)
    assert [row["name"] for row in rows if not row["name"].startswith("'")] == []


def test_the_api_tells_it_as_json_and_as_nothing_else(evil: Account) -> None:
    made = tokens.create_token(name="x", scopes=[Scope.READ], by=Actor(kind=ActorKind.SYSTEM, id="test"))
    program = Client(headers={"authorization": f"Bearer {made.token}"})
    for path in ("/customers", "/customers/cus_000", "/customers/cus_000/timeline", "/events/evt_known", "/objects"):
        answer = program.get(f"/api/v1{path}", headers={"accept": "text/html"})
        assert answer.headers["Content-Type"] == "application/json"
        json.loads(answer.content)


def test_the_walk_sees_what_it_looks_for() -> None:
    assert made_by_data(EVIL) != []
    assert made_by_data(f'<a href="{LINK}">') != []
    assert made_by_data("<p>49zq</p>") != []
    assert made_by_data('<p onclick="x">') != []
    assert made_by_data("<script>x</script>") != []
    assert made_by_data('<p style="x">') != []
    assert made_by_data('<p title="&lt;zq onclick=x&gt;">zq</p>') == []
