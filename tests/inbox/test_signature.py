from __future__ import annotations

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.inbox.intake.signature import TOLERANCE_SECONDS, Refusal, verify

NOW = 1_790_000_000
BODY = b'{"id": "evt_1"}'
SECRET, OTHER = b"whsec_one", b"whsec_two"


def v1(secret: bytes = SECRET, body: bytes = BODY, stamp: str = str(NOW)) -> str:
    return "v1=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def test_the_published_example_shape_is_accepted() -> None:
    assert (
        verify(
            f"t={NOW},{v1()},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
            BODY,
            [SECRET],
            now=NOW,
        )
        is None
    )


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER]])
@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW},{v1()}",
        f"{v1()},t={NOW}",
        f"t={NOW}, {v1()}",
        f"t={NOW},v1={'0' * 64},{v1()}",
        f"t={NOW},{v1(b'whsec_retired')},{v1()}",
        f"t={NOW},v1=,{v1()},",
        f"t={NOW},v2=odd,unnamed,{v1()}",
    ],
)
def test_any_active_secret_may_have_made_any_of_the_signatures_case(header: str, secrets: list[bytes]) -> None:
    assert verify(header, BODY, secrets, now=NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        "garbage",
        ",",
        "=",
        f"t={NOW}",
        v1(),
        f"t=,{v1(stamp='')}",
        f"t=-5,{v1(stamp='-5')}",
        f"t=1e9,{v1(stamp='1e9')}",
        f"t= {NOW},{v1()}",
        f"t={'9' * 40},{v1(stamp='9' * 40)}",
        f"t=\u0661\u0662,{v1(stamp=chr(0x661) + chr(0x662))}",
        f"t={NOW},v0={v1()[3:]}",
        f"t={NOW},V1={v1()[3:]}",
        f"t={NOW},{v1().upper().replace('V1', 'v1')}",
        f"t={NOW},{v1()[:-1]}",
        f"t={NOW},{v1()}0",
        f"t={NOW},v1=\u00e9\u00e9",
        f"t={NOW},{v1(OTHER)}",
        f"t={NOW},{v1(body=BODY + b' ')}",
        f"t={NOW + 1},{v1()}",
        f"t={NOW},{','.join(['v1=' + '0' * 64] * 16)},{v1()}",
    ],
)
def test_what_no_active_secret_made_is_invalid_case(header: str) -> None:
    assert verify(header, BODY, [SECRET], now=NOW) is Refusal.INVALID


def test_no_header_is_missing() -> None:
    assert verify("", BODY, [SECRET], now=NOW) is Refusal.MISSING


def test_without_a_secret_nothing_is_accepted() -> None:
    assert verify(f"t={NOW},{v1()}", BODY, [], now=NOW) is Refusal.INVALID


@pytest.mark.parametrize(
    ("skew", "refusal"),
    [
        (-TOLERANCE_SECONDS, None),
        (-TOLERANCE_SECONDS - 1, Refusal.STALE),
        (TOLERANCE_SECONDS, None),
        (TOLERANCE_SECONDS + 1, Refusal.FUTURE),
    ],
)
def test_the_clocks_may_differ_by_three_hundred_seconds_either_way_case(skew: int, refusal: Refusal | None) -> None:
    stamp = str(NOW + skew)

    assert verify(f"t={stamp},{v1(stamp=stamp)}", BODY, [SECRET], now=NOW) is refusal


def test_a_wrong_signature_is_not_told_that_its_time_is_wrong_too() -> None:
    assert verify(f"t=1,{v1(OTHER, stamp='1')}", BODY, [SECRET], now=NOW) is Refusal.INVALID


@given(
    st.binary(max_size=200),
    st.binary(min_size=1, max_size=40),
    st.lists(st.binary(min_size=1, max_size=40), max_size=4),
    st.integers(-300, 300),
)
def test_what_an_active_secret_signed_is_accepted_whatever_the_bytes_are(
    body: bytes, secret: bytes, others: list[bytes], skew: int
) -> None:
    stamp = str(NOW + skew)

    assert verify(f"t={stamp},{v1(secret, body, stamp)}", body, [*others, secret], now=NOW) is None


@given(st.binary(min_size=1, max_size=80), st.data())
def test_one_changed_byte_is_enough_to_refuse(body: bytes, data: st.DataObject) -> None:
    header = f"t={NOW},{v1(body=body)}"
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]

    assert verify(header, changed, [SECRET], now=NOW) is Refusal.INVALID


@given(st.text(max_size=200))
def test_no_header_without_the_secret_is_accepted_or_raises(header: str) -> None:
    refusal = verify(re.sub(r"[\ud800-\udfff]", "", header), BODY, [SECRET], now=NOW)

    assert refusal in {Refusal.INVALID, Refusal.MISSING}
