"""What differs from Stripe, as a list with filters, and each difference field by field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.mirror.reconcile import store
from trueup.mirror.reconcile.types import STATE, Cause, FieldDifference, Kind
from trueup.mirror.types import ObjectKey


def differ(account: Account, object_type: str, object_id: str, **given: Any) -> None:
    """A difference as a comparison would have written it."""
    fields: dict[str, Any] = {
        "customer": "cus_1",
        "kind": Kind.STALE,
        "fields": (),
        "more": 0,
        "cause": Cause.OBJECTS if object_type == STATE else Cause.NEVER_CAME,
        "explanation": "The newest that we have is evt_1, and no event told of what changed since.",
    }
    key = ObjectKey(account_id=account.id, livemode=False, object_type=object_type, object_id=object_id)
    store.record(1, store.New(key=key, **(fields | given)))


def seen(client: Client, path: str = "/truth/differences") -> str:
    """The text of a page, without its tags."""
    answer = client.get(path)
    assert answer.status_code == 200
    inside = re.sub(r"<wbr>|</?code>", "", answer.content.decode()).split("<main", 1)[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", inside)))


def ids(client: Client, path: str) -> list[str]:
    """What is listed, in its order."""
    return re.findall(r'<span class="what"><code title="([^"]+)">', client.get(path).content.decode())


def many(account: Account) -> None:
    """Sixty invoices, a charge that is missing, and a state that follows from them."""
    differ(account, STATE, "cus_1")
    for number in range(60):
        differ(account, "invoice", f"in_{number:02}")
    differ(account, "charge", "ch_1", kind=Kind.MISSING, customer="cus_2")


def test_each_field_is_shown_with_both_values_why_in_full_and_since_when(reader: Client, account: Account) -> None:
    fields = (
        FieldDifference(path="name", ours="Ada <b>", theirs="Bea"),
        FieldDifference(path="metadata.seats", ours=None, theirs={"n": 5}),
        FieldDifference(path="phone", ours="5", theirs=5),
    )
    since = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    differ(account, "customer", "cus_1", fields=fields, more=2, since=since, since_exact=True, event_id="evt_9")

    page = seen(reader)

    assert "Both have it, and these fields differ." in page
    assert "The newest that we have is evt_1, and no event told of what changed since." in page
    assert "Mar 4, 2025, 5:06:07" in page.replace("\xa0", " ")
    assert "name Ada <b> Bea" in page
    assert 'metadata.seats nothing {"n":5}' in page
    assert 'phone "5" 5' in page
    assert "2 more fields differ." in page
    raw = reader.get("/truth/differences").content.decode()
    assert 'href="/events/evt_9"' in raw
    assert "Ada <b>" not in raw


def test_a_day_that_is_not_today_is_told_with_its_date(reader: Client, account: Account) -> None:
    differ(account, "invoice", "in_1", since=datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC))

    assert "Mar 4, 2025, 05:06:07" in seen(reader)
    assert "Mar 4, 2025, 5:06:07 AM UTC at the earliest" in seen(reader).replace("\xa0", " ")


def test_objects_come_before_states_over_all_pages(reader: Client, account: Account) -> None:
    many(account)

    first = ids(reader, "/truth/differences")
    page = reader.get("/truth/differences").content.decode()
    following = unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])

    assert (first[0], len(first)) == ("ch_1", 50)
    assert ids(reader, following) == [*(f"in_{number:02}" for number in reversed(range(11))), "cus_1"]
    assert "1\N{EN DASH}50 of 62" in seen(reader)
    assert "51\N{EN DASH}62 of 62" in seen(reader, following)
    assert 'rel="next"' not in reader.get(following).content.decode()


def test_they_are_filtered_by_kind_type_account_and_customer(reader: Client, account: Account) -> None:
    many(account)
    other = world.connect("other")
    differ(other, "charge", "ch_2")

    assert ids(reader, "/truth/differences?kind=missing") == ["ch_1"]
    assert ids(reader, "/truth/differences?type=trueup.customer") == ["cus_1"]
    assert ids(reader, "/truth/differences?customer=cus_2") == ["ch_1"]
    assert ids(reader, f"/truth/differences?account={other.id}&type=charge") == ["ch_2"]
    assert "No difference matches" in seen(reader, "/truth/differences?customer=cus_9")
    assert "1\N{EN DASH}1 of 1" in seen(reader, "/truth/differences?kind=missing")
    assert "customer's state (1)" in seen(reader)


def test_what_there_is_not_to_filter_by_is_refused(reader: Client, account: Account) -> None:
    differ(account, "invoice", "in_1")

    assert reader.get("/truth/differences?kind=odd").status_code == 400
    assert reader.get("/truth/differences?account=999").status_code == 404
    assert reader.get("/truth/differences?after=odd").status_code == 400


def test_a_customer_is_a_link_only_where_there_is_a_page_for_it(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", None)))
    differ(account, "invoice", "in_1")
    differ(account, "customer", "cus_new", kind=Kind.MISSING, customer="cus_new")

    for path in ("/truth/differences", "/truth"):
        page = reader.get(path).content.decode()
        assert 'href="/customers/cus_1"' in page
        assert "/customers/cus_new" not in page
        assert 'href="/truth/differences?customer=cus_new"' in page
    assert reader.get("/customers/cus_1").status_code == 200
    assert reader.get("/customers/cus_new").status_code == 404


def test_htmx_gets_the_list_alone_and_the_address_keeps_the_filter(reader: Client, account: Account) -> None:
    differ(account, "invoice", "in_1")
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/truth/differences"}

    part = reader.get("/truth/differences?kind=stale&type=", headers=headers)

    assert "<html" not in part.content.decode()
    assert part["HX-Push-Url"] == "/truth/differences?kind=stale"


def test_where_nothing_is_known_to_differ_it_says_why(reader: Client, account: Account) -> None:
    assert account.slug == "acme"
    assert "Not compared yet" in seen(reader)
