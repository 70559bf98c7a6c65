from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from tests.flow.conftest import Ask, Lived
from tests.instance import Door, post_all
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer

SEED = 20_261_120
EVENTS = 5_000


def test_shuffled_with_a_fifth_sent_twice_the_same_events_end_in_the_same_states(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, lived: Lived
) -> None:
    straight, mixed = connect("straight"), connect("mixed")
    told = [msgspec.json.format(msgspec.json.encode(event), indent=2) for event in lived(EVENTS)]
    luck = random.Random(SEED)
    shuffled = told + luck.sample(told, EVENTS // 5)
    luck.shuffle(shuffled)

    with Door(database, sealer=sealer) as door:
        in_order = post_all(door.port, "/webhooks/stripe/straight", told, connections=64)
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)
        # The drains look in between, so that they see many beginnings and not only the end.
        out_of_order = []
        for start in range(0, len(shuffled), 1_500):
            out_of_order += post_all(
                door.port, "/webhooks/stripe/mixed", shuffled[start : start + 1_500], connections=64
            )
            drains.empty(MIRROR)
            drains.empty(CUSTOMER)

    assert {answer.status for answer in in_order + out_of_order} == {200}
    assert sum(answer.json["duplicate"] for answer in in_order) == 0
    assert sum(answer.json["duplicate"] for answer in out_of_order) == EVENTS // 5
    states: dict[int, dict[str, object]] = {
        account.id: dict(
            ask("select stripe_customer_id, state from customer_customer where account_id = %s", account.id)
        )
        for account in (straight, mixed)
    }
    assert len(states[straight.id]) > 50
    assert states[mixed.id] == states[straight.id]
    columns = "stripe_customer_id, name, email, sort_name, stage, mrr_sort, last_event_at, product_ids"
    rows = "customer_customer join customer_lookup using (account_id, livemode, stripe_customer_id)"
    lists = [
        sorted(ask(f"select {columns} from {rows} where account_id = %s", account.id)) for account in (straight, mixed)
    ]
    assert lists[0] == lists[1]
    mirrors = [
        sorted(
            ask(
                "select object_type, object_id, event_id, deleted, data::text from mirror_object where account_id = %s",
                account.id,
            )
        )
        for account in (straight, mixed)
    ]
    assert mirrors[0] == mirrors[1]
    assert ask("select (select count(*) from inbox_pending) + (select count(*) from mirror_changed)") == [(0,)]
