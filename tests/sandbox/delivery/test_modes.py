"""Modes of delivery, as rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.kernel.errors import Refused
from trueup.sandbox.delivery import signing
from trueup.sandbox.delivery.modes import Copy, Mode, copies

modes = st.builds(
    Mode,
    order=st.sampled_from(["in_order", "parallel", "shuffled", "crossed"]),
    within=st.integers(1, 500),
    delay=st.integers(0, 500),
    duplicates=st.integers(0, 100),
    dropped=st.integers(0, 100),
)


def _of(mode: Mode, event: int = 1, **facts: Any) -> list[Copy]:
    wanted: dict[str, Any] = {"seed": "s", "about": "cus_1", "created": 1000, "endpoint": "we_1"} | facts
    return copies(mode, event=event, **wanted)


@given(modes, st.integers(1, 10**9), st.integers(0, 10**9))
def test_every_event_is_delivered_once_or_twice_and_never_too_early_or_too_late(
    mode: Mode, event: int, created: int
) -> None:
    planned = _of(mode, event, created=created)

    assert [copy.number for copy in planned] in ([0], [0, 1])
    for copy in planned:
        assert mode.delay <= copy.off <= mode.delay + mode.within
        assert copy.key == (0 if mode.order in {"in_order", "parallel"} else created + copy.off)
        assert 0 <= copy.lost <= (copy.number == 0)
    assert planned == _of(mode, event, created=created)


@given(modes, st.lists(st.integers(1, 10**6), min_size=2, max_size=9, unique=True))
def test_crossed_events_of_one_object_are_moved_alike(mode: Mode, events: list[int]) -> None:
    crossed = Mode(order="crossed", within=mode.within)

    assert len({_of(crossed, event)[0].off for event in events}) == 1


def test_shares_are_about_what_was_asked_for() -> None:
    planned = [_of(Mode(duplicates=25, dropped=10), event) for event in range(4000)]

    assert 900 < sum(len(one) == 2 for one in planned) < 1100
    assert 320 < sum(one[0].lost for one in planned) < 480


def test_nothing_and_everything_are_exact() -> None:
    assert all(len(_of(Mode(), event)) == 1 and not _of(Mode(), event)[0].lost for event in range(200))
    whole = Mode(duplicates=100, dropped=100)
    assert all(len(_of(whole, event)) == 2 and _of(whole, event)[0].lost for event in range(200))


def test_a_signature_is_the_documented_one() -> None:
    header = signing.header(b'{"id": 1}', secrets=["whsec_new", "whsec_old"], at=1_700_000_000)

    parts = [part.split("=") for part in header.split(",")]
    assert [name for name, _ in parts] == ["t", "v1", "v1", "v0"]
    assert parts[0][1] == "1700000000"
    # Computed apart: printf '1700000000.{"id": 1}' | openssl dgst -sha256 -hmac whsec_new
    assert parts[1][1] == "9c55eb595844c78c8d3e6799c5d631964fcd9767e7a25e0b5283b84ad88091df"


def test_at_least_one_event_goes_at_a_time() -> None:
    with pytest.raises(Refused, match="one event"):
        Mode(order="parallel", at_once=0)
