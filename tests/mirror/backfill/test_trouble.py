"""What happens to a backfill when Stripe refuses, waits or forgets, and when those who read it are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from psycopg import DataError
from psycopg.conninfo import conninfo_to_dict

from tests import instance
from tests.mirror.backfill.conftest import Connect, mirrored, read_all
from tests.mirror.backfill.gate import Gate, forbidden
from tests.mirror.backfill.test_reading import listed
from trueup.accounts.errors import ApiKeyMissing
from trueup.kernel.errors import Conflict, Refused
from trueup.mirror.backfill import errand, lists, service
from trueup.mirror.backfill.types import Progress, Status, TypeProgress, TypeStatus
from trueup.runtime import configuration, database
from trueup.sandbox import Sandbox

NEVER = threading.Event()


def type_of(told: Progress, name: str) -> TypeProgress:
    """What is told of one type."""
    return next(one for one in told.types if one.object_type == name)


def in_mirror(kind: str) -> set[str]:
    """The ids of the objects of a type that the mirror holds."""
    rows = database.execute("select object_id from mirror_object where object_type = %s", (kind,)).fetchall()
    return {row[0] for row in rows}


def lease_over() -> None:
    """Let the leases of whoever was killed come to their end."""
    database.execute("update mirror_backfillspan set due_at = now() where status = 'open'")


def as_url(conninfo: str) -> str:
    """An address of the test server as ``DATABASE_URL`` takes it."""
    given = conninfo_to_dict(conninfo)
    return f"postgresql://{given['user']}:{given['password']}@/{given['dbname']}?host={given['host']}"


def test_a_forbidden_list_fails_by_its_name_and_the_others_are_read(before: Gate, connect: Connect) -> None:
    account = connect(before.base_url)
    before.rule = lambda path, _query: forbidden(path) if path == "/v1/invoices" else None

    service.start(account=account, types=["invoice", "product"], by=instance.TESTER)
    read_all()
    mirrored()

    told = service.progress(account)
    assert told.run.status is Status.INCOMPLETE
    invoices = type_of(told, "invoice")
    assert (invoices.status, invoices.error_code) == (TypeStatus.FAILED, "stripe_forbidden")
    assert "permission" in (invoices.error or "")
    assert type_of(told, "product").status is TypeStatus.DONE
    assert len(in_mirror("product")) > 1
    assert in_mirror("invoice") == set()

    before.rule = lambda _path, _query: None
    asked = len(before.pages())
    service.resume(account=account, by=instance.TESTER)
    read_all()

    assert service.progress(account).run.status is Status.COMPLETE
    assert {page.partition("?")[0] for page in before.pages()[asked:]} == {"/v1/invoices"}


def test_lists_within_what_cannot_be_listed_are_not_called_done(before: Gate, connect: Connect) -> None:
    account = connect(before.base_url)
    before.rule = lambda path, _query: forbidden(path) if path == "/v1/customers" else None

    service.start(account=account, types=["payment_method"], by=instance.TESTER)
    read_all()

    told = service.progress(account)
    assert told.run.status is Status.INCOMPLETE
    methods = type_of(told, "payment_method")
    assert (methods.status, methods.error_code) == (TypeStatus.FAILED, "backfill_parent_failed")


@pytest.mark.parametrize("kind", ["rate_limit", "unavailable", "drop"])
def test_throttling_and_outages_only_wait(
    sandbox: Sandbox, connect: Connect, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, "PATIENCE", 0.0)
    account = connect(sandbox.base_url)
    service.start(account=account, types=["product"], by=instance.TESTER)
    sandbox.fail(kind, times=None, path="/v1/products")  # type: ignore[arg-type]
    run = service.last(account)
    assert run is not None

    for _ in range(3):
        errand.work(NEVER)
    waiting = service.progress(account)
    sandbox.heal()
    while service.progress(account).run.status is Status.RUNNING:
        lease_over()
        errand.work(NEVER)

    assert waiting.run.status is Status.RUNNING
    assert waiting.trouble != ""
    assert type_of(waiting, "product").listed == 0
    told = service.progress(account)
    assert (told.run.status, told.trouble) == (Status.COMPLETE, "")
    assert type_of(told, "product").listed == len(listed(sandbox, "/v1/products", {}))


def test_a_page_that_cannot_be_used_holds_up_nothing_else(sandbox: Sandbox, before: Gate, connect: Connect) -> None:
    account = connect(before.base_url)
    body = b'{"data": [{"id": "co_\\u0000", "object": "coupon"}], "has_more": false}'
    before.rule = lambda path, _query: (200, body) if path == "/v1/coupons" else None
    service.start(account=account, types=["coupon", "product"], by=instance.TESTER)

    stumbled = 0
    while service.progress(account).run.status is Status.RUNNING:
        lease_over()
        try:
            errand.work(NEVER)
        except DataError:
            stumbled += 1

    mirrored()
    told = service.progress(account)
    assert stumbled == errand.MOST_TRIES + 1
    assert type_of(told, "coupon").error_code == "backfill_page_unusable"
    assert in_mirror("product") == {one["id"] for one in listed(sandbox, "/v1/products", {})}


def test_a_cursor_that_was_deleted_loses_nothing(sandbox: Sandbox, before: Gate, connect: Connect) -> None:
    account = connect(before.base_url)
    customers = [one["id"] for one in listed(sandbox, "/v1/customers", {})]
    gone: list[str] = []

    def delete(_path: str, query: dict[str, str]) -> None:
        if "starting_after" in query and not gone:
            gone.append(query["starting_after"])
            sandbox.request("DELETE", f"/v1/customers/{gone[0]}")

    before.rule = delete
    customers += [sandbox.request("POST", "/v1/customers", {"name": f"Late {number}"})["id"] for number in range(200)]
    service.start(account=account, types=["customer"], by=instance.TESTER)
    read_all()
    mirrored()

    assert len(gone) == 1
    assert service.progress(account).run.status is Status.COMPLETE
    assert in_mirror("customer") >= set(customers)


def test_a_killed_reader_leaves_its_span_to_the_next(
    sandbox: Sandbox, before: Gate, connect: Connect, committed: str
) -> None:
    account = connect(before.base_url)
    service.start(account=account, types=["invoice"], by=instance.TESTER)
    held, killed = threading.Event(), threading.Event()

    def hold(path: str, query: dict[str, str]) -> None:
        if path == "/v1/invoices" and "starting_after" in query and not killed.is_set():
            held.set()
            killed.wait(20)

    before.rule = hold
    reader = subprocess.Popen(
        [sys.executable, "-m", "trueup.ops.main", "backfill", "acme", "--here", "--threads", "1"],
        env=instance.Home(configuration.current().home).environ(DATABASE_URL=as_url(committed)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert held.wait(20)
    finally:
        os.kill(reader.pid, signal.SIGKILL)
        reader.wait()
        killed.set()
    first = service.progress(account)
    assert (first.run.status, first.pages) == (Status.RUNNING, len(before.pages()) - 1)

    lease_over()
    read_all()
    mirrored()

    told = service.progress(account)
    assert told.run.status is Status.COMPLETE
    assert in_mirror("invoice") == {one["id"] for one in listed(sandbox, "/v1/invoices", {})}
    # What was asked for and not written is asked for once more, and nothing else.
    assert len(before.pages()) - len(set(before.pages())) == 1


def test_what_a_reader_without_its_lease_has_read_is_not_written(
    sandbox: Sandbox, before: Gate, connect: Connect
) -> None:
    account = connect(before.base_url)
    service.start(account=account, types=["product"], by=instance.TESTER)

    def cancel(path: str, _query: dict[str, str]) -> None:
        if path == "/v1/products":
            service.cancel(account=account, by=instance.TESTER)
            # The gate answers in a thread of its own.
            database.close()

    before.rule = cancel
    read_all(threads=1)
    mirrored()

    assert service.progress(account).run.status is Status.CANCELLED
    assert in_mirror("product") == set()
    before.rule = lambda _path, _query: None
    service.resume(account=account, by=instance.TESTER)
    read_all(threads=1)
    mirrored()
    assert in_mirror("product") == {one["id"] for one in listed(sandbox, "/v1/products", {})}


def test_a_second_start_joins_the_one_that_runs(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox.base_url)

    first = service.start(account=account, types=["product"], by=instance.TESTER)
    second = service.start(account=account, types=["invoice"], by=instance.TESTER)

    assert second == first
    read_all()
    assert service.start(account=account, types=["invoice"], by=instance.TESTER).id > first.id


def test_what_cannot_be_asked_for_is_refused(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox.base_url)

    with pytest.raises(Refused) as unknown:
        service.start(account=account, types=["unicorn"], by=instance.TESTER)
    with pytest.raises(Refused) as unlisted:
        service.start(account=account, types=["mandate"], by=instance.TESTER)
    with pytest.raises(Conflict) as idle:
        service.cancel(account=account, by=instance.TESTER)
    with pytest.raises(Conflict) as nothing:
        service.resume(account=account, by=instance.TESTER)

    codes = [raised.value.code for raised in (unknown, unlisted, idle, nothing)]
    assert codes == [
        "backfill_type_unknown",
        "backfill_type_unknown",
        "backfill_not_running",
        "backfill_not_resumable",
    ]
    assert service.last(account) is None


@pytest.mark.parametrize(
    ("_case_name", "_case_hint"),
    [
        ("invoices", "Did you mean invoice or invoiceitem or invoice_payment? All that it has: trueup backfill types"),
        ("Customers", "Did you mean customer? All that it has: trueup backfill types"),
        ("checkout_session", "Did you mean checkout.session? All that it has: trueup backfill types"),
        ("subs", "Did you mean subscription or"),
        ("unicorn", "All that it has: trueup backfill types"),
        ("", "All that it has: trueup backfill types"),
    ],
)
def test_a_type_that_there_is_not_is_answered_with_those_that_may_be_meant(_case_name: str, _case_hint: str) -> None:
    with pytest.raises(Refused) as unknown:
        lists.chosen([_case_name], livemode=True)

    assert unknown.value.hint.startswith(_case_hint)
    assert len(unknown.value.hint) < 160


def test_an_account_without_a_key_is_not_read(connect: Connect) -> None:
    account = connect("http://127.0.0.1:1", api_key="")

    with pytest.raises(ApiKeyMissing):
        service.start(account=account, by=instance.TESTER)
