"""Who is told of what, from an event to the receiver."""

from __future__ import annotations

import email
import email.policy
from decimal import Decimal
from email.message import EmailMessage

import msgspec
import pytest

from tests.audit.anchors.mailserver import MailServer
from tests.notices.conftest import TESTER, Receiver, Tell, acting, ada, becomes, new_subscription, send
from trueup.connectors.webhook import signing
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.owners import service as owners
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.notices import drain
from trueup.notices import service as notices
from trueup.notices.types import Channel, Draft, Kind, Pace, Status
from trueup.operators import service as operators
from trueup.operators.team import service as team
from trueup.operators.types import Person, Role
from trueup.runtime import database, drains


def draft(*kinds: Kind, **more: object) -> Draft:
    given: dict[str, object] = {"name": "Owing", "channel": Channel.EMAIL, "zone": "UTC", **more}
    return Draft(kinds=frozenset(kinds), **given)  # type: ignore[arg-type]


def kinds() -> list[str]:
    return [row[0] for row in database.execute("select kind from notices_change order by id").fetchall()]


def _plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def mails(server: MailServer) -> list[tuple[str, str, str]]:
    """The mailbox, subject and text of each."""
    read = [(to, email.message_from_bytes(body, policy=email.policy.default)) for _from, to, body in server.mails]
    return [(to, str(one["subject"]), _plain(one)) for to, one in read]


def test_a_person_is_mailed_when_one_of_her_customers_goes_past_due(
    tell: Tell, anna: Person, mailserver: MailServer, now: int
) -> None:
    tell(ada(now), new_subscription(now))
    owners.assign(ids=["cus_1"], operator_id=anna.id, by=acting(anna))
    notices.save(draft=draft(Kind.PAST_DUE, only_mine=True), operator_id=anna.id, by=acting(anna))

    tell(becomes("past_due", at=now - 10, began=now - 60))

    assert send() == 1
    ((to, subject, text),) = mails(mailserver)
    assert (to, subject) == ("TO:<anna@acme.example>", "Ada Lovelace: Past due")
    assert "Active → Past due" in text
    assert "ada@engines.example" in text
    assert f"https://console.acme.example/customers/{customers.get('cus_1').id}" in text
    (one,) = notices.deliveries(operator_id=anna.id)
    assert (one.status, one.answer, one.attempts) == (Status.SENT, "250 queued as 7F3A", 1)
    assert send() == 0


def test_what_is_made_anew_or_read_again_is_no_news(tell: Tell, anna: Person, now: int) -> None:
    notices.save(draft=draft(*Kind), operator_id=anna.id, by=acting(anna))
    tell(ada(now), new_subscription(now), becomes("past_due", at=now - 50, began=now - 60))
    tell(becomes("active", at=now - 40, began=now - 60))
    before = kinds()
    assert before[-2:] == ["recovered", "stage"]

    customers.rebuild(by=TESTER)
    # One event at a time, so that every state on the way is folded and looked at.
    while drains.step(MIRROR_ONE).claimed:
        drains.empty(CUSTOMER)
        drains.empty(drain.DRAIN)

    assert kinds() == before


MIRROR_ONE = msgspec.structs.replace(MIRROR, batch=1)


@pytest.mark.parametrize(
    ("_case", "at", "expected"),
    [("an hour ago", 3_600, ["past_due", "stage"]), ("a week ago", 7 * 86_400, [])],
)
def test_what_happened_long_ago_is_not_told(
    tell: Tell, anna: Person, now: int, _case: str, at: int, expected: list[str]
) -> None:
    began = now - 30 * 86_400
    tell(ada(began), new_subscription(began))

    tell(becomes("past_due", at=now - at, began=began))

    assert kinds() == expected


def test_a_late_event_does_not_tell_of_a_state_that_is_over(tell: Tell, anna: Person, now: int) -> None:
    tell(ada(now), new_subscription(now), becomes("active", at=now - 10, began=now - 60, quantity=2))
    before = kinds()

    tell(becomes("past_due", at=now - 30, began=now - 60))

    assert kinds() == before


def test_a_team_is_told_without_names_unless_they_were_chosen(
    tell: Tell, owner: Person, receiver: Receiver, now: int
) -> None:
    by = acting(owner)
    notices.save(draft=draft(Kind.STARTED, channel=Channel.SLACK, target=receiver.url), operator_id=None, by=by)
    named = draft(Kind.STARTED, channel=Channel.SLACK, target=receiver.url, with_names=True, name="Named")
    notices.save(draft=named, operator_id=None, by=by)

    tell(ada(now), new_subscription(now))

    assert send() == 2
    plain, with_name = sorted((str(body) for body in receiver.bodies), key=lambda body: "Ada" in body)
    assert "cus_1" in plain
    assert "Ada Lovelace" not in plain
    assert "ada@engines.example" not in plain
    assert "Ada Lovelace" in with_name


def test_a_webhook_is_signed_and_has_the_same_id_at_each_try(
    tell: Tell, owner: Person, receiver: Receiver, now: int
) -> None:
    hook = draft(Kind.STARTED, channel=Channel.WEBHOOK, target=receiver.url)
    saved = notices.save(draft=hook, operator_id=None, by=acting(owner))
    receiver.answers = [(503, b"later"), (200, b"thanks")]
    tell(ada(now), new_subscription(now))

    assert send() == 1
    (waiting,) = notices.deliveries()
    assert (waiting.status, waiting.answer, waiting.attempts) == (Status.WAITING, "503 later", 1)
    database.execute("update notices_delivery set due_at = now()")
    assert send() == 1

    (sent,) = notices.deliveries()
    assert (sent.status, sent.answer) == (Status.SENT, "200 thanks")
    ids = {headers["webhook-id"] for _path, headers, _body in receiver.asked}
    assert len(ids) == 1
    _path, headers, body = receiver.asked[1]
    again = signing.headers(body, secret=saved.secret, id=ids.pop(), seconds=int(headers["webhook-timestamp"]))
    assert headers["webhook-signature"] == again["webhook-signature"]
    (change,) = receiver.bodies[1]["changes"]
    assert (change["kind"], change["stripe_customer"], change["name"]) == ("started", "cus_1", None)


def test_a_digest_tells_the_path_of_what_flapped(tell: Tell, anna: Person, mailserver: MailServer, now: int) -> None:
    daily = draft(Kind.PAST_DUE, Kind.RECOVERED, pace=Pace.DAILY)
    notices.save(draft=daily, operator_id=anna.id, by=acting(anna))
    tell(ada(now), new_subscription(now))
    tell(becomes("past_due", at=now - 30, began=now - 60))
    tell(becomes("active", at=now - 20, began=now - 60))
    tell(becomes("past_due", at=now - 10, began=now - 60))
    assert send() == 0

    database.execute("update notices_delivery set due_at = now()")

    assert send() == 1
    ((_to, subject, text),) = mails(mailserver)
    assert subject == "Ada Lovelace: Past due"
    assert "Active → Past due → Active → Past due" in text


def test_what_is_refused_is_set_aside_with_the_reason_and_sent_again_when_asked(
    tell: Tell, owner: Person, receiver: Receiver, now: int
) -> None:
    by = acting(owner)
    notices.save(draft=draft(Kind.STARTED, channel=Channel.SLACK, target=receiver.url), operator_id=None, by=by)
    receiver.answers = [(404, b"no_service"), (200, b"ok")]
    tell(ada(now), new_subscription(now))

    send()

    (failed,) = notices.deliveries(status=Status.FAILED)
    assert (failed.answer, failed.error.startswith("Slack answered with 404.")) == ("404 no_service", True)
    assert database.execute("select code from inbox_alarm").fetchall() == [("notices_undelivered",)]
    notices.resend(delivery_id=failed.id, by=by)
    assert database.execute("select code from inbox_alarm").fetchall() == []
    assert send() == 1
    assert notices.delivery(failed.id).status is Status.SENT


def test_a_message_that_never_gets_through_is_set_aside(
    tell: Tell, owner: Person, receiver: Receiver, now: int
) -> None:
    rule = draft(Kind.STARTED, channel=Channel.SLACK, target=receiver.url)
    notices.save(draft=rule, operator_id=None, by=acting(owner))
    receiver.answers = [(500, b"oops")]
    tell(ada(now), new_subscription(now))

    tries = 0
    while notices.deliveries(status=Status.WAITING):
        database.execute("update notices_delivery set due_at = now()")
        tries += send()

    assert tries == 8
    assert notices.counts()[Status.FAILED] == 1


def test_whoever_may_no_longer_see_customers_is_told_nothing(
    tell: Tell, anna: Person, mailserver: MailServer, now: int
) -> None:
    notices.save(draft=draft(Kind.STARTED), operator_id=anna.id, by=acting(anna))
    tell(ada(now), new_subscription(now))
    team.deactivate(operator_id=anna.id, by=TESTER)

    send()

    assert mailserver.mails == []
    assert [one.status for one in notices.deliveries(operator_id=anna.id)] == [Status.DROPPED]


def test_an_auditor_is_told_without_names(tell: Tell, owner: Person, mailserver: MailServer, now: int) -> None:
    reads = operators.create_operator(
        email="audit@acme.example", password="nine quiet rivers", roles=[Role.AUDITOR], by=acting(owner)
    )
    notices.save(draft=draft(Kind.STARTED), operator_id=reads.id, by=acting(reads))
    tell(ada(now), new_subscription(now))

    send()

    ((_to, subject, text),) = mails(mailserver)
    assert subject == "cus_1: Active"
    assert "Ada" not in text


@pytest.mark.parametrize(("least", "expected"), [(Decimal(49), 1), (Decimal("49.01"), 0)])
def test_an_amount_narrows_a_rule(tell: Tell, anna: Person, now: int, least: Decimal, expected: int) -> None:
    notices.save(draft=draft(Kind.STARTED, at_least=least), operator_id=anna.id, by=acting(anna))

    tell(ada(now), new_subscription(now))

    assert len(notices.deliveries(operator_id=anna.id)) == expected


def test_a_trial_is_told_of_three_days_before_its_end_and_once(
    tell: Tell, anna: Person, mailserver: MailServer, now: int
) -> None:
    notices.save(draft=draft(Kind.TRIAL_ENDING), operator_id=anna.id, by=acting(anna))
    end = now + 2 * 86_400
    tell(ada(now), new_subscription(now, status="trialing", trial_end=end, trial_start=now - 60))

    assert drain.trials_ending() == 1
    assert drain.trials_ending() == 0
    assert send() == 1
    assert mails(mailserver)[0][1] == "Ada Lovelace: Trial ends soon"


def test_an_end_that_is_planned_and_one_that_is_not_any_more_are_told(tell: Tell, anna: Person, now: int) -> None:
    tell(ada(now), new_subscription(now))
    tell(becomes("active", at=now - 20, began=now - 60, cancel_at_period_end=True))
    tell(becomes("active", at=now - 10, began=now - 60))

    assert kinds() == ["started", "cancel_scheduled", "cancel_withdrawn"]
