"""The probes a to i, as told, and each of them red when its rule is taken out. R1 to R3 are in ``test_races``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.flow import probes
from tests.flow.conftest import Ask
from tests.flow.probes import Break, Trueup
from tests.instance import Door
from trueup.accounts.types import Account
from trueup.runtime.crypto import Sealer

Probe = Callable[[Trueup], None]

PROBES: list[tuple[Probe, Break]] = [
    (probes.a_duplicates, probes.nothing_is_known_already),
    (probes.a2_an_old_event_again, probes.last_arrival_wins),
    (probes.b_nine_events_reversed, probes.last_arrival_wins),
    (probes.c_one_second_the_newer_first, probes.last_arrival_wins),
    (probes.c2_one_second_in_order, probes.first_of_a_second_wins),
    (probes.d_a_customer_that_is_gone, probes.deletions_are_forgotten),
    (probes.d2_a_subscription_that_has_ended, probes.last_arrival_wins),
    (probes.d3_updated_and_ended_in_one_second, probes.first_of_a_second_wins),
    (probes.d4_a_product_that_is_gone, probes.deletions_are_forgotten),
    (probes.d4_a_product_that_is_gone, probes.gone_is_one_state_of_many),
    (probes.e_a_type_that_nobody_knows, probes.only_known_types_are_taken),
    (probes.f_a_connected_account, probes.accounts_are_one),
    (probes.g_live_events_at_a_test_endpoint, probes.modes_are_one),
    (probes.h_a_stale_timestamp_or_another_secret, probes.signatures_last_for_ever),
    (probes.i_an_item_replaced_then_an_old_event, probes.last_arrival_wins),
]


@pytest.fixture
def opened(connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask) -> Callable[[], Iterator[Trueup]]:
    """Open the intake for the account ``acme``, with whatever rules there are by then."""
    connect("acme")

    def opening() -> Iterator[Trueup]:
        with Door(database, sealer=sealer) as door:
            yield Trueup(door, ask)

    return opening


@pytest.mark.parametrize("probe", dict.fromkeys(probe for probe, _rule in PROBES), ids=lambda probe: probe.__name__)
def test_what_other_syncs_lose_is_right(probe: Probe, opened: Callable[[], Iterator[Trueup]]) -> None:
    for trueup in opened():
        probe(trueup)


@pytest.mark.parametrize(("probe", "rule"), PROBES)
def test_a_probe_fails_without_its_rule(
    probe: Probe, rule: Break, opened: Callable[[], Iterator[Trueup]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(monkeypatch)
    for trueup in opened():
        with pytest.raises(AssertionError):
            probe(trueup)
