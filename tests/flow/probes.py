"""What syncs lose or corrupt in ordinary conditions: one probe each, and the rule that keeps it right taken out.

A probe tells Trueup events as they would come, and asserts what has to be true at the end. A breakage takes one rule
out of the running program; ``test_probes`` shows that the probe fails then, and so that it watches that rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.flow.conftest import Ask
from tests.instance import Door, Json, customer, encoded, event, signed
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox.intake import batch, envelope, signature
from trueup.inbox.intake.connection import Statement
from trueup.inbox.intake.statements import STORE
from trueup.inbox.types import Reason
from trueup.mirror import service as mirror
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.order import history, resolve
from trueup.mirror.order.types import Head, Need, Trace
from trueup.runtime import drains

START = 1_790_000_000
PATH = "/webhooks/stripe/acme"


class Trueup:
    """The intake, its readers, and a way to look at what they made."""

    def __init__(self, door: Door, ask: Ask) -> None:
        self.door = door
        self.ask = ask

    def tell(self, *events: Json) -> None:
        """Send events one by one, and have each read before the next."""
        for one in events:
            assert self.door.post(one, path=PATH).status == 200
            self.read()

    def read(self) -> None:
        """Let the drains read what came."""
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)

    def shape(self, kind: str, id: str) -> Json:  # noqa: A002 - the field's name
        """An object as it stands."""
        found = mirror.get(id, type=kind).shape
        assert found is not None
        return found

    def deleted(self, kind: str, id: str) -> bool:  # noqa: A002 - the field's name
        """Whether it is gone."""
        return mirror.get(id, type=kind).deleted


def subscription(status: str = "active", *, item: str = "si_1", **more: Any) -> Json:
    items = {"object": "list", "has_more": False, "data": [{"id": item, "object": "subscription_item", "quantity": 1}]}
    told = {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "items": items}
    return told | {"created": START, "cancel_at_period_end": False} | more


def product(name: str) -> Json:
    return {"id": "prod_1", "object": "product", "name": name, "active": True, "created": START}


def changed(kind: str, about: Json, at: int, **previous: Any) -> Json:
    return event(kind, about, at=at, data={"object": about, "previous_attributes": previous})


# --- the probes ------------------------------------------------------------------------------------------------------


def a_duplicates(trueup: Trueup) -> None:
    told = event("customer.created", customer(), at=START)
    trueup.tell(told, told, told)
    assert trueup.ask("select count(*) from inbox_event") == [(1,)]
    assert trueup.ask("select count(*) from inbox_quarantined") == [(0,)]
    assert trueup.ask("select count(*) from mirror_version") == [(1,)]


def a2_an_old_event_again(trueup: Trueup) -> None:
    old, new = customer(name="Old"), customer(name="New")
    born = event("customer.created", old, at=START)
    trueup.tell(born, changed("customer.updated", new, START + 5, name="Old"))
    again = born | {"id": "evt_again"}
    trueup.tell(again)
    assert trueup.shape("customer", "cus_1")["name"] == "New"


def b_nine_events_reversed(trueup: Trueup) -> None:
    told = [event("customer.created", customer(name="0"), at=START)]
    told += [
        changed("customer.updated", customer(name=str(number)), START + number, name=str(number - 1))
        for number in range(1, 10)
    ]
    trueup.tell(*reversed(told))
    assert trueup.shape("customer", "cus_1")["name"] == "9"


def c_one_second_the_newer_first(trueup: Trueup) -> None:
    trueup.tell(
        event("customer.created", customer(name="0"), at=START),
        changed("customer.updated", customer(name="2"), START + 5, name="1"),
        changed("customer.updated", customer(name="1"), START + 5, name="0"),
    )
    assert trueup.shape("customer", "cus_1")["name"] == "2"


def c2_one_second_in_order(trueup: Trueup) -> None:
    trueup.tell(
        event("customer.created", customer(name="0"), at=START),
        changed("customer.updated", customer(name="1"), START + 5, name="0"),
        changed("customer.updated", customer(name="2"), START + 5, name="1"),
    )
    assert trueup.shape("customer", "cus_1")["name"] == "2"


def d_a_customer_that_is_gone(trueup: Trueup) -> None:
    told = customer(name="Ada")
    trueup.tell(
        event("customer.created", told, at=START),
        event("customer.deleted", told, at=START + 9),
        changed("customer.updated", customer(name="Late"), START + 5, name="Ada"),
    )
    assert trueup.deleted("customer", "cus_1")
    assert trueup.shape("customer", "cus_1")["name"] == "Ada"


def d2_a_subscription_that_has_ended(trueup: Trueup) -> None:
    trueup.tell(
        event("customer.subscription.created", subscription(), at=START),
        event("customer.subscription.deleted", subscription("canceled"), at=START + 9),
        changed("customer.subscription.updated", subscription("past_due"), START + 5, status="active"),
    )
    assert trueup.shape("subscription", "sub_1")["status"] == "canceled"


def d3_updated_and_ended_in_one_second(trueup: Trueup) -> None:
    trueup.tell(
        event("customer.subscription.created", subscription(), at=START),
        changed(
            "customer.subscription.updated",
            subscription(cancel_at_period_end=True),
            START + 9,
            cancel_at_period_end=False,
        ),
        event("customer.subscription.deleted", subscription("canceled", cancel_at_period_end=True), at=START + 9),
    )
    assert trueup.shape("subscription", "sub_1")["status"] == "canceled"


def d4_a_product_that_is_gone(trueup: Trueup) -> None:
    trueup.tell(
        event("product.created", product("Old"), at=START),
        event("product.deleted", product("Old"), at=START + 9),
        changed("product.updated", product("Newer"), START + 5, name="Old"),
        changed("product.updated", product("New"), START + 9, name="Newer"),
    )
    assert trueup.deleted("product", "prod_1")


def e_a_type_that_nobody_knows(trueup: Trueup) -> None:
    about = {"id": "fancy_1", "object": "future.thing"}
    assert trueup.door.post(event("future.thing.happened", about, at=START), path=PATH).status == 200
    trueup.read()
    assert trueup.ask("select type from inbox_event") == [("future.thing.happened",)]
    assert trueup.shape("future.thing", "fancy_1") == about


def f_a_connected_account(trueup: Trueup) -> None:
    trueup.tell(event("customer.created", customer(name="Ours"), at=START))
    trueup.tell(event("customer.created", customer(name="Theirs"), at=START, id="evt_2", account="acct_other"))
    rows = trueup.ask("select count(distinct account_id), count(*) from mirror_object where object_id = 'cus_1'")
    assert rows == [(2, 2)]
    assert mirror.get("cus_1", account="acme").shape == customer(name="Ours")


def g_live_events_at_a_test_endpoint(trueup: Trueup) -> None:
    told = event("customer.created", customer(), at=START, livemode=True)
    assert trueup.door.post(told, path=PATH).status == 200
    trueup.read()
    assert trueup.ask("select count(*) from mirror_object") == [(0,)]
    assert trueup.ask("select reason from inbox_quarantined") == [(Reason.WRONG_MODE.value,)]


def h_a_stale_timestamp_or_another_secret(trueup: Trueup) -> None:
    body = encoded(event("customer.created", customer(), at=START))
    stale = trueup.door.post(body, path=PATH, at=_now() - 900)
    other = trueup.door.post(body, path=PATH, secret="whsec_" + "8" * 32)
    assert (stale.status, other.status) == (400, 400)
    assert trueup.ask("select count(*) from inbox_event") == [(0,)]
    assert trueup.ask("select count(*) from inbox_quarantined") == [(0,)]


def i_an_item_replaced_then_an_old_event(trueup: Trueup) -> None:
    before, after = subscription(item="si_old"), subscription(item="si_new")
    trueup.tell(
        event("customer.subscription.created", before, at=START),
        changed("customer.subscription.updated", after, START + 9, items=before["items"]),
        changed("customer.subscription.updated", before, START + 5, metadata={"k": None}),
    )
    items = trueup.shape("subscription", "sub_1")["items"]["data"]
    assert [item["id"] for item in items] == ["si_new"]


def _now() -> int:
    return int(signed(b"")[2:].partition(",")[0])


# --- the rules taken out ---------------------------------------------------------------------------------------------

Break = Callable[[pytest.MonkeyPatch], None]
Step = Callable[..., Head | Need]


def _advanced_by(choose: Callable[[Head | None, list[Trace], Step], Head | Need | None]) -> Break:
    """Replace how a head follows from new facts; ``None`` leaves it to the rule."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        right = resolve.advance

        def advance(head: Head | None, new: Iterable[Trace], known: Iterable[Trace] | None = None) -> Head | Need:
            facts = list(new)
            found = choose(head, facts, right)
            return right(head, facts, known) if found is None else found

        patch.setattr("trueup.mirror.drain.advance", advance)

    return broken


def _alone(trace: Trace, step: Step) -> Head:
    """The head as if nothing else were known of the object."""
    found = step(None, [trace])
    assert isinstance(found, Head)
    return found


last_arrival_wins = _advanced_by(lambda _head, new, step: _alone(new[-1], step))
"""Whatever came last is taken for the newest."""

first_of_a_second_wins = _advanced_by(
    lambda head, new, step: head if head is not None and new[-1].second <= head.second else _alone(new[-1], step)
)
"""Only what was created strictly later counts, as a comparison of times alone has it."""

deletions_are_forgotten = _advanced_by(
    lambda head, new, step: _alone(new[-1], step) if head is not None and head.deleted else None
)
"""A row that was deleted is as good as one that never was."""


def nothing_is_known_already(patch: pytest.MonkeyPatch) -> None:
    """The log takes an event for new however often it came."""
    text = STORE.replace(b"on conflict do nothing", b"")
    assert text != STORE
    statement = Statement("store", text)
    patch.setattr(batch, "_STORE", statement)
    patch.setattr(batch, "STATEMENTS", (statement, batch.STATEMENTS[1]))
    patch.setattr("trueup.inbox.intake.flusher.STATEMENTS", (statement, batch.STATEMENTS[1]))


def only_known_types_are_taken(patch: pytest.MonkeyPatch) -> None:
    """What nobody has heard of is unusable."""
    right = envelope.read

    def read(body: bytes) -> envelope.Envelope:
        found = right(body)
        if not found.type.startswith(("customer.", "product.")):
            raise envelope.Unusable(Reason.UNREADABLE, "unknown type")
        return found

    patch.setattr(envelope, "read", read)


def accounts_are_one(patch: pytest.MonkeyPatch) -> None:
    """Which connected account an event is of makes no difference."""
    patch.setattr(envelope, "_account", lambda _value: None)


def modes_are_one(patch: pytest.MonkeyPatch) -> None:
    """Which mode an event is of makes no difference."""
    right = envelope.read

    def read(body: bytes) -> envelope.Envelope:
        found = right(body)
        return envelope.Envelope(
            **{name: getattr(found, name) for name in found.__struct_fields__} | {"livemode": None}
        )

    patch.setattr(envelope, "read", read)


def signatures_last_for_ever(patch: pytest.MonkeyPatch) -> None:
    """However old a signature is, it counts."""
    patch.setattr(signature, "_in_time", lambda _stamp, _now: None)


def gone_is_one_state_of_many(patch: pytest.MonkeyPatch) -> None:
    """A deletion is ordered among the other facts instead of ending the object."""
    patch.setattr(history, "deletion", lambda _traces, _made: None)
