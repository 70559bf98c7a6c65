"""The audit pages: entries are found, opened on record, proved, verified and exported."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from django.test import Client

from tests.audit.conftest import home
from tests.audit.verifying.test_tampering import tamper
from tests.audit.writing import record, seal_all
from tests.web.console import world
from tests.web.console.streamed import whole
from trueup.audit import service as audit
from trueup.audit.types import Action, Phase
from trueup.audit.verifying import asked
from trueup.audit.verifying import service as verifying
from trueup.customer import service as customers
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import database

__all__ = ["home"]

pytestmark = pytest.mark.usefixtures("home")
PART = {"HX-Request": "true"}
WHY = "Ada asked for it by telephone."


def text(reader: Client, address: str, *, part: bool = False) -> str:
    answer = reader.get(address, headers=PART if part else {})
    assert answer.status_code == 200, answer.content.decode()[-600:]
    return answer.content.decode()


def changed(**given: object) -> int:
    """An entry with a value that stands, and one that is personal."""
    return record(before={"access": "watch", "name": "Acme"}, after={"access": "act", "name": "ACME"}, why=WHY, **given)


@pytest.fixture
def entry(person: Person) -> int:
    wrote = changed(facts=["evt_1"])
    seal_all()
    return wrote


def test_entries_are_listed_with_who_what_and_place(reader: Client, person: Person, entry: int) -> None:
    record(by=Actor(kind=ActorKind.OPERATOR, id=str(person.id), behind=Actor(kind=ActorKind.OPERATOR, id="99")))

    told = text(reader, "/audit")

    assert "What is known of a Stripe account" in told
    assert f'href="/audit/entries/{entry}"' in told
    assert "live/1" in told
    assert "Elena Sato" in told
    assert "really operator:99" in told


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("actor=operator:7", True),
        ("actor=operator:8", False),
        ("actor=oper", False),
        ("object=account", True),
        ("object=account:2", False),
        ("action=accounts.*", True),
        ("action=accounts.account.changed&mode=live", True),
        ("mode=test", False),
        ("action=ops.*", False),
        ("request=req_other", False),
        ("since=2020-01-01&until=2020-12-31", False),
        ("since=2020-01-01", True),
    ],
)
def test_every_filter_narrows_the_list_and_stands_in_the_address(
    reader: Client, entry: int, query: str, *, found: bool
) -> None:
    answer = reader.get(f"/audit?{query}", headers=PART | {"HX-Current-URL": "http://testserver/audit"})

    assert (f"/audit/entries/{entry}" in answer.content.decode()) is found
    assert answer["HX-Push-Url"].startswith("/audit?")
    assert f"/audit/entries/{entry}" in text(reader, "/audit")


def test_pages_go_on_by_a_cursor(reader: Client) -> None:
    with database.transaction():
        wrote = [record(object_id=str(number)) for number in range(60)]

    first = text(reader, "/audit?object=account")
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")

    assert f"/audit/entries/{wrote[10]}" in first
    assert f"/audit/entries/{wrote[9]}" not in first
    assert f"/audit/entries/{wrote[9]}" in text(reader, following)


def test_an_entry_shows_both_sides_and_keeps_personal_values_closed(reader: Client, entry: int) -> None:
    told = text(reader, f"/audit/entries/{entry}")

    assert "watch" in told
    assert "act" in told
    assert told.count(">closed<") >= 2
    assert "ACME" not in told
    assert WHY not in told
    assert 'href="/events/evt_1"' in told
    assert "Open 3 personal values" in told


def test_opening_asks_why_and_is_on_record_before_anything_is_shown(reader: Client, person: Person, entry: int) -> None:
    asking = text(reader, f"/audit/entries/{entry}/open")
    assert "are recorded before they are shown" in asking
    assert "ACME" not in asking
    refused = reader.post(f"/audit/entries/{entry}/open", {"why": " "})
    assert refused.status_code == 400
    assert audit.entries(database.connection(), action="audit.values.opened") == []

    told = reader.post(f"/audit/entries/{entry}/open", {"why": "Complaint 12"}).content.decode()

    assert "ACME" in told
    assert WHY in told
    (opening,) = audit.entries(database.connection(), action="audit.values.opened", opened=True)
    assert (opening.actor_id, opening.why, opening.after["entries"]) == (str(person.id), "Complaint 12", [entry])


def test_whoever_may_not_open_is_not_offered_it(reader: Client, person: Person, entry: int) -> None:
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.AUDITOR], by=system("test"))

    assert "/open" not in text(reader, f"/audit/entries/{entry}")
    assert reader.get(f"/audit/entries/{entry}/open").status_code == 403


def test_outcomes_lead_to_what_announced_them(reader: Client) -> None:
    intent = record(phase=Phase.INTENT)
    outcome = record(phase=Phase.FAILED, intent=intent)

    told = text(reader, f"/audit/entries/{outcome}", part=True)

    assert f'href="/audit/entries/{intent}"' in told
    assert "failed" in told


def test_the_files_of_an_entry_verify_offline(reader: Client, entry: int, tmp_path: Path) -> None:
    files = {}
    for name in ("proof", "body"):
        answer = reader.get(f"/audit/entries/{entry}/{name}")
        file = tmp_path / answer["Content-Disposition"].split('"')[1]
        file.write_bytes(answer.content)
        files[name] = file
    policy = tmp_path / "policy"
    policy.write_bytes(reader.get("/audit/live/policy").content)
    words = ["audit", "verify", "--proof", str(files["proof"]), "--policy", str(policy)]

    done = subprocess.run(
        [sys.executable, "-m", "trueup.ops.main", *words], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout[:10]) == (0, "✓ Verified"), done.stderr


def test_an_entry_that_was_altered_says_so_and_the_badge_leads_there(reader: Client, entry: int) -> None:
    tamper(f"update audit_logentry set body = convert_to(replace(convert_from(body, 'UTF8'), 'watch', 'watsh'), 'UTF8') where id = {entry}")  # fmt: skip # noqa: E501
    reader.post("/audit/verify")
    assert asked.run(threading.Event()) == 1

    badge = text(reader, "/audit")
    broken = badge.split("broken at ")[1].split("<")[0]
    followed = reader.get(f"/audit/at/{broken}")

    assert 'href="/audit/at/' + broken in badge
    assert followed["Location"] == f"/audit/entries/{entry}"
    assert "is not what was recorded" in text(reader, followed["Location"])
    assert "Change nothing." in text(reader, "/audit/verification")


def test_a_check_that_is_asked_for_is_done_by_a_worker(reader: Client, entry: int) -> None:
    assert "never verified" in text(reader, "/audit")

    waiting = reader.post("/audit/verify", headers=PART).content.decode()
    assert "waits for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    reader.post("/audit/verify")
    assert asked.run(threading.Event()) == 1
    assert asked.run(threading.Event()) == 0

    told = text(reader, "/audit/badge", part=True)
    assert "entries verified" in told
    assert "every 1s" not in told
    last = verifying.last(database.connection(), livemode=True)
    assert last is not None
    assert last.verified


def test_checkpoints_and_the_newest_note_can_be_taken_along(reader: Client, entry: int) -> None:
    assert "/audit/live/checkpoint?size=3" in text(reader, "/audit/live/checkpoints")

    answer = reader.get("/audit/live/checkpoint")

    assert answer["Content-Disposition"] == 'attachment; filename="live-3.checkpoint"'
    assert answer.content.splitlines()[0].endswith(b"/audit/live")
    assert reader.get("/audit/other/checkpoint").status_code == 404


def test_an_export_is_on_record_and_checks_itself(reader: Client, person: Person, entry: int, tmp_path: Path) -> None:
    answer = reader.post("/audit/export", {"mode": "live", "why": "Yearly audit"})
    told = whole(answer)
    packed = zipfile.ZipFile(io.BytesIO(told))
    packed.extractall(tmp_path)

    (folder,) = tmp_path.glob("trueup-audit-live-*")
    program = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout
    assert answer["Content-Length"] == str(len(told))
    assert answer["Content-Disposition"] == f'attachment; filename="{folder.name}.zip"'
    assert not list(folder.glob("disclosures*"))
    found = audit.entries(database.connection(), action=Action.EXPORT_MADE.value, opened=True)
    assert [(one.actor_id, one.phase.value, one.why) for one in found] == [
        (str(person.id), "succeeded", ""),
        (str(person.id), "intent", "Yearly audit"),
    ]


def test_an_export_of_nothing_says_so_on_the_form(reader: Client) -> None:
    answer = reader.post("/audit/export", {"mode": "test", "why": "Yearly audit"})

    assert answer.status_code == 400
    assert "There is no signed checkpoint to export." in answer.content.decode()
    assert 'value="Yearly audit"' in answer.content.decode()


def test_an_export_begins_at_the_log_in_which_something_happens(reader: Client) -> None:
    def chosen() -> list[str]:
        return re.findall(r'value="(\w+)" checked', reader.get("/audit/export").content.decode())

    assert chosen() == ["live"]
    world.connect()
    assert chosen() == ["test"]


def test_people_and_customers_are_found_by_what_others_call_them(reader: Client, person: Person) -> None:
    with database.transaction():
        entry = record(by=Actor(kind=ActorKind.OPERATOR, id=str(person.id)))
        account = world.connect()
    world.many(account, 1)
    known = customers.get("cus_000")
    with database.transaction():
        other = record(object_type="customer", object_id=known.id)

    for query, found in (
        ("actor=Elena Sato", entry),
        ("actor=ELENA@acme.example", entry),
        (f"object=customer:{known.state.stripe_customer_id}", other),
        (f"object={known.state.stripe_customer_id}", other),
    ):
        answer = reader.get(f"/audit?{query}", headers=PART).content.decode()
        assert f"/audit/entries/{found}" in answer, query
    assert "Write one of operator" in text(reader, "/audit?actor=Nobody")
