from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from tests.inbox.conftest import Ask
from tests.instance import SECRET, Answer, Door, customer, encoded, event, request, signed
from trueup.accounts.types import Account
from trueup.runtime import clock


@pytest.fixture(params=["alone", "mounted"])
def mounted(request: pytest.FixtureRequest) -> bool:
    """Every answer is the same on both ways."""
    return bool(request.param == "mounted")


RECEIVED = {"received": True, "duplicate": False}
AGAIN = {"received": True, "duplicate": True}


def said(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.json


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def test_an_event_is_on_disk_byte_for_byte_when_200_arrives(door: Door, account: Account, ask: Ask) -> None:
    body = encoded(event("customer.created", customer(name="Zoë \u2028 Ünal"), id="evt_first", at=1_790_000_001))
    header = signed(body)

    answer = request(door.port, door.path, body, headers={"Stripe-Signature": header})

    found = ask(
        "select account_id, livemode, event_id, extract(epoch from created)::int8, type, kind, object_type, object_id,"
        " customer, api_version,"
        " source, signature, body_sha256, body, redacted_at, received_at > now() - interval '1 minute' from inbox_event"
    )
    assert said(answer) == (200, RECEIVED)
    assert answer.headers["content-type"] == "application/json"
    assert found == [
        (
            account.id,
            False,
            "evt_first",
            1_790_000_001,
            "customer.created",
            "snapshot",
            "customer",
            "cus_1",
            "cus_1",
            "2026-10-28.endive",
            "webhook",
            header,
            hashlib.sha256(body).digest(),
            body,
            None,
            True,
        )
    ]
    assert ask("select event_id, attempts, due_at from inbox_pending") == [("evt_first", 0, None)]


def test_the_same_event_again_is_a_duplicate_and_stored_once(door: Door, ask: Ask) -> None:
    told = event("customer.created", customer())

    answers = [said(door.post(told)) for _ in range(3)]

    assert answers == [(200, RECEIVED), (200, AGAIN), (200, AGAIN)]
    assert ask("select count(*) from inbox_event") == [(1,)]
    assert ask("select count(*) from inbox_pending") == [(1,)]


def test_of_many_twins_at_once_exactly_one_is_new(door: Door, ask: Ask) -> None:
    first, second = encoded(event("customer.created", customer())), encoded(event("customer.updated", customer()))

    answers = door.post_all([first, second] * 60, connections=60)

    assert {answer.status for answer in answers} == {200}
    assert sum(not answer.json["duplicate"] for answer in answers[::2]) == 1
    assert sum(not answer.json["duplicate"] for answer in answers[1::2]) == 1
    assert ask("select count(*) from inbox_event") == [(2,)]
    assert ask("select count(*) from inbox_pending") == [(2,)]


def test_one_event_id_at_two_moments_is_two_events(door: Door, ask: Ask) -> None:
    answers = [
        said(door.post(event("customer.created", customer(), id="evt_same", at=at)))
        for at in (1_790_000_000, 1_790_000_001)
    ]

    assert answers == [(200, RECEIVED), (200, RECEIVED)]
    assert ask("select count(*) from inbox_event where event_id = 'evt_same'") == [(2,)]


def _unsigned(body: bytes) -> dict[str, str]:
    return {}


def _by_a_stranger(body: bytes) -> dict[str, str]:
    return {"Stripe-Signature": signed(body, "whsec_of_somebody_else")}


def _over_other_bytes(body: bytes) -> dict[str, str]:
    return {"Stripe-Signature": signed(body + b" ")}


def _old(body: bytes) -> dict[str, str]:
    return {"Stripe-Signature": signed(body, at=clock.unix() - 310)}


def _ahead(body: bytes) -> dict[str, str]:
    return {"Stripe-Signature": signed(body, at=clock.unix() + 310)}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (_unsigned, "signature_missing"),
        (_by_a_stranger, "signature_invalid"),
        (_over_other_bytes, "signature_invalid"),
        (_old, "signature_stale"),
        (_ahead, "signature_future"),
    ],
)
def test_a_bad_signature_is_refused_with_its_reason_and_nothing_is_stored_case(
    door: Door, ask: Ask, headers: Callable[[bytes], dict[str, str]], code: str
) -> None:
    body = encoded(event("customer.created", customer()))

    answer = request(door.port, door.path, body, headers=headers(body))

    assert refused(answer) == (400, code)
    assert answer.json["error"]["hint"]
    assert ask("select (select count(*) from inbox_event) + (select count(*) from inbox_quarantined)") == [(0,)]
    counted = request(door.port, "/metrics", method="GET").body.decode()
    assert f'trueup_intake_requests_total{{outcome="{code}"}}' in counted


@pytest.mark.parametrize(
    "path", ["/webhooks/stripe/nobody", "/webhooks/stripe/", "/webhooks/stripe/acme/more", "/webhooks/stripe/%00"]
)
def test_an_address_without_an_account_is_not_found_case(door: Door, path: str) -> None:
    assert refused(door.post(event("customer.created", customer()), path=path)) == (404, "account_unknown")


def test_a_slash_at_the_end_of_the_address_is_no_other_address(door: Door) -> None:
    assert said(door.post(event("customer.created", customer()), path="/webhooks/stripe/acme/")) == (200, RECEIVED)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post_is_taken_and_the_answer_says_so_case(door: Door, method: str) -> None:
    answer = request(door.port, door.path, method=method)

    assert refused(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def _padded(size: int) -> bytes:
    body = encoded(event("customer.created", customer(description="@")))
    return body.replace(b"@", b"x" * (size - len(body) + 1), 1)


def test_a_body_of_exactly_one_mebibyte_is_taken_whole(door: Door, ask: Ask) -> None:
    body = _padded(1024 * 1024)
    assert len(body) == 1024 * 1024

    assert said(door.post(body)) == (200, RECEIVED)
    assert ask("select body from inbox_event") == [(body,)]


def test_a_longer_body_is_refused_by_its_length_and_the_connection_stays_in_step(door: Door, ask: Ask) -> None:
    assert refused(door.post(_padded(1024 * 1024 + 1))) == (413, "body_too_large")
    assert ask("select count(*) from inbox_event") == [(0,)]
    assert said(door.post(event("customer.created", customer()))) == (200, RECEIVED)


def _chunks(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + 50_000] for start in range(0, len(body), 50_000))


def test_a_longer_body_in_chunks_is_refused_before_its_end(door: Door, ask: Ask) -> None:
    body = _padded(3 * 1024 * 1024)

    answer = request(door.port, door.path, _chunks(body), headers={"Stripe-Signature": signed(body)})

    assert refused(answer) == (413, "body_too_large")
    assert ask("select count(*) from inbox_event") == [(0,)]


def test_a_body_in_chunks_is_taken(door: Door, ask: Ask) -> None:
    body = _padded(300_000)

    answer = request(door.port, door.path, _chunks(body), headers={"Stripe-Signature": signed(body)})

    assert said(answer) == (200, RECEIVED)
    assert ask("select body from inbox_event") == [(body,)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"hello", "not_json"),
        (b"", "not_json"),
        (b'[{"id": "evt_1"}]', "not_json"),
        (b'{"type": "customer.created", "created": 1, "data": {"object": {}}}', "no_id"),
        (b'{"id": "", "type": "customer.created", "created": 1}', "no_id"),
        (encoded(event("customer.created", customer(), livemode=True)), "wrong_mode"),
        (encoded(event("customer.created", customer(), id="evt_\x00nul")), "refused_by_database"),
        (encoded(event("customer.\x00created", customer())), "refused_by_database"),
        (encoded(event("customer.created", customer(), account="acct_\x00")), "unreadable"),
        (encoded(event("customer.created", customer(), account="a" * 5000)), "unreadable"),
        (encoded(event("customer.created", customer(), created="yesterday")), "unreadable"),
        (
            encoded(event("customer.created", customer(nest="@"))).replace(b'"@"', b"[" * 90_000 + b"]" * 90_000),
            "unreadable",
        ),
    ],
    ids=[
        "text",
        "empty",
        "array",
        "no_id",
        "empty_id",
        "wrong_mode",
        "nul_id",
        "nul_type",
        "nul_account",
        "long_account",
        "created",
        "nested",
    ],
)
def test_what_is_signed_and_unusable_is_kept_once_in_the_quarantine_case(
    door: Door, account: Account, ask: Ask, body: bytes, reason: str
) -> None:
    answers = [said(door.post(body)) for _ in range(2)]

    assert answers == [(200, RECEIVED), (200, AGAIN)]
    assert ask("select account_id, reason, body, body_sha256, signature like 't=%%' from inbox_quarantined") == [
        (account.id, reason, body, hashlib.sha256(body).digest(), True)
    ]
    assert ask("select count(*) from inbox_event") == [(0,)]
    assert ask("select count(*) from inbox_pending") == [(0,)]


def test_a_body_at_fault_does_not_take_its_neighbours_with_it(door: Door, ask: Ask) -> None:
    good = [encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(60)]
    bad = [encoded(event("customer.created", customer(), id=f"evt_\x00{n}")) for n in range(3)]

    answers = door.post_all([*good[:30], *bad, *good[30:]], connections=63)

    assert {(answer.status, answer.body) for answer in answers} == {(200, b'{"received": true, "duplicate": false}')}
    assert ask("select count(*) from inbox_event") == [(60,)]
    assert ask("select count(*) from inbox_quarantined where reason = 'refused_by_database'") == [(3,)]


@pytest.mark.parametrize("at", [157_766_400, 4_070_908_800, 0, 253_402_214_399], ids=["1975", "2099", "epoch", "9999"])
def test_an_event_far_outside_the_partitions_is_stored_beside_its_neighbours_case(
    door: Door, ask: Ask, at: int
) -> None:
    told = [
        encoded(event("customer.created", customer(f"cus_{n}"), at=at if n == 20 else 1_790_000_000)) for n in range(40)
    ]

    answers = door.post_all(told, connections=40)

    assert {(answer.status, answer.json["duplicate"]) for answer in answers} == {(200, False)}
    assert ask("select extract(epoch from created)::int8 from inbox_event where object_id = 'cus_20'") == [(at,)]
    assert ask("select count(*) from inbox_event") == [(40,)]


def test_a_type_that_nobody_knows_is_stored(door: Door, ask: Ask) -> None:
    assert said(door.post(event("quantum.entangled", {"id": "qu_1", "object": "quantum"}))) == (200, RECEIVED)
    assert ask("select type, object_type, customer from inbox_event") == [("quantum.entangled", "quantum", None)]


def test_a_thin_event_waits_for_its_object(door: Door, ask: Ask) -> None:
    thin = {
        "id": "evt_thin_1",
        "object": "v2.core.event",
        "type": "v1.billing.meter.no_meter_found",
        "created": "2026-09-21T12:30:45.250Z",
        "livemode": False,
        "context": None,
        "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"},
    }

    assert said(door.post(thin)) == (200, RECEIVED)
    assert ask("select kind, object_type, object_id, extract(epoch from created)::int8 from inbox_event") == [
        ("thin", "billing.meter", "mtr_1", 1_789_993_845)
    ]
    assert ask("select event_id from inbox_awaitingfetch") == [("evt_thin_1",)]
    assert ask("select count(*) from inbox_pending") == [(0,)]


def test_several_signatures_in_one_header_are_all_tried(door: Door) -> None:
    body = encoded(event("customer.created", customer()))
    stamp, right = signed(body).split(",")
    header = ",".join([stamp, "v0=legacy", "v1=" + "0" * 64, right])

    assert said(request(door.port, door.path, body, headers={"Stripe-Signature": header})) == (200, RECEIVED)


def test_health_and_readiness_are_told_without_a_signature(door: Door) -> None:
    assert request(door.port, "/healthz", method="GET").json == {"status": "ok", "service": "trueup"}
    assert said(request(door.port, "/readyz", method="GET")) == (200, {"ready": True})
    assert refused(request(door.port, "/", method="GET")) == (404, "not_found")
    assert SECRET not in request(door.port, "/metrics", method="GET").body.decode()
