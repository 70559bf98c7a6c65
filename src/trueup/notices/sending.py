"""Sending what is due: take a lease, let go of the database, send, write down what came of it.

Whoever dies in between leaves a lease that runs out, and the message is sent again: at least once, with the same id
each time, by which a receiver knows it.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trueup.connectors.email import client as mail
from trueup.connectors.email.errors import MailRefused, MailUnavailable
from trueup.connectors.slack import client as slack
from trueup.connectors.slack.errors import SlackRefused, SlackUnavailable
from trueup.connectors.webhook import client as webhook
from trueup.connectors.webhook.errors import WebhookRefused, WebhookUnavailable
from trueup.customer import service as customers
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound, Refused, TrueupError, Unavailable
from trueup.kernel.records import Record
from trueup.notices import messages, rules, store
from trueup.notices.drain import TOPIC
from trueup.notices.messages import About, Message
from trueup.notices.types import Attempt, Change, Channel, Delivery, Kind, Rule, Status
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, configuration, database, installation, logs, metrics
from trueup.runtime.errands import Errand

log = logs.get(__name__)

ADDRESS: Final = "notices_rule.address"
SECRET: Final = "notices_rule.secret"  # noqa: S105 - a column's name
SOURCE: Final = "notices"
INVENTED: Final = 0
"""The account of invented changes; none has this number."""
EXAMPLES: Final = (("Ada's Engines", "ada@engines.example"), ("Harbor Books", "hello@harbor.example"))
MONEY_KINDS: Final = frozenset({Kind.PAYMENT_FAILED})
"""What nobody is told of who may not see payments."""
MOST_AT_ONCE: Final = 20
"""Messages that one piece of the errand sends."""
ALARM_AFTER: Final = 15.0
"""Seconds between two looks at what was set aside."""


class Dropped(Refused):
    """A message is for nobody any more."""

    code = "notice_dropped"


class Reader:
    """Who reads the messages of a rule, and what they may see of it now."""

    def __init__(self, rule: Rule) -> None:
        """Ask what the reader may see; for a team, what whoever made the rule may."""
        who = Actor(kind=ActorKind.OPERATOR, id=str(rule.operator_id)) if rule.operator_id is not None else rule.made_by
        self.may = operators.permissions_of(who)
        self.mailbox, self.language, self.zone = rule.target, rule.language, rule.zone
        if rule.operator_id is not None:
            person = next((one for one in operators.operators() if one.id == rule.operator_id), None)
            if person is None or not person.is_active:
                raise Dropped("The person may not sign in any more.")
            self.mailbox, self.language = person.email, person.language or rule.language
            self.zone = person.zone or rule.zone
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.zone = "UTC"
        if Permission.CUSTOMERS_READ not in self.may:
            raise Dropped("The person may not see customers any more.")
        named = rule.with_names or rule.operator_id is not None
        self.names = named and Permission.PERSONAL_CONTACT in self.may
        self.money = Permission.MONEY_READ in self.may


def about(change: Change, *, names: bool) -> About:
    """The customer of a change as it is now, with its name and address only where they may be shown."""
    if change.account_id == INVENTED:
        return _invented(change, names=names)
    link = f"{public_url()}/customers/{change.customer_id}"
    try:
        found = customers.get(change.customer_id)
    except NotFound:
        stripe_id = change.subject if change.subject.startswith("cus_") else change.customer_id
        return About(
            id=change.customer_id,
            stripe_id=stripe_id,
            name="",
            email="",
            plan="",
            account="",
            livemode=change.livemode,
            url=link,
        )
    return About(
        id=found.id,
        stripe_id=found.stripe_customer_id,
        name=(found.name or "") if names else "",
        email=(found.email or "") if names else "",
        plan=found.plan_label or "",
        account=found.account_slug,
        livemode=found.livemode,
        url=link,
    )


def _invented(change: Change, *, names: bool) -> About:
    """The customer of a change that a test or a preview tells of."""
    name, email = EXAMPLES[change.id % len(EXAMPLES)]
    return About(
        id=change.customer_id,
        stripe_id=change.subject,
        name=name if names else "",
        email=email if names else "",
        plan="Pro",
        account="example",
        livemode=True,
        url=f"{public_url()}/customers",
    )


def public_url() -> str:
    """Where people open the console."""
    settings = configuration.current()
    host = next(filter(None, (part.strip() for part in settings.allowed_hosts.split(","))), "")
    return (settings.public_url or (f"https://{host}" if host else settings.base_url)).rstrip("/")


def composed(rule: Rule, changes: list[Change], reader: Reader) -> tuple[Message, list[tuple[Change, About]]]:
    """The message of a rule about changes, as its reader may see it."""
    told = [(one, about(one, names=reader.names)) for one in changes if reader.money or one.kind not in MONEY_KINDS]
    if not told:
        raise Dropped("Nothing of it may be seen by whoever it is for.")
    page = "/account/notifications" if rule.operator_id is not None else "/settings/notifications"
    written = messages.message(
        told,
        rule=rule.name,
        language=reader.language,
        zone=reader.zone,
        settings_url=f"{public_url()}{page}",
        money=reader.money,
    )
    return written, told


def post(rule: Rule, changes: list[Change], *, id: str, test: bool = False) -> str:  # noqa: A002 - the header's word
    """Send one message; returns what the receiver said. Raises what the connectors raise, and ``Dropped``."""
    reader = Reader(rule)
    written, told = composed(rule, changes, reader)
    settings = configuration.current()
    if rule.channel is Channel.EMAIL:
        if not settings.smtp_url:
            raise Refused(
                "No mail server is named.", code="smtp_missing", hint="Set TRUEUP_SMTP_URL, and start Trueup anew."
            )
        sender = mail.sender_of(settings.smtp_url) or reader.mailbox
        letter = messages.mail(
            written, sender=sender, mailbox=reader.mailbox, id=id, now=clock.now(), language=reader.language
        )
        said = mail.send(letter, sender=sender, mailbox=reader.mailbox, smtp_url=settings.smtp_url)
        return f"250 {said.decode('utf-8', 'replace')[:300]}"
    sealed_address, sealed_secret = store.sealed(rule.id)
    if sealed_address is None:
        raise Dropped("The rule leads nowhere any more.")
    sealer, public_only = installation.sealer(), not settings.notices_private
    address = sealer.open(sealed_address, purpose=ADDRESS).decode()
    if rule.channel is Channel.SLACK:
        return slack.send(address, messages.slack(written, language=reader.language), public_only=public_only)
    secret = sealer.open(sealed_secret or b"", purpose=SECRET).decode()
    body = messages.event(told, rule_id=rule.id, test=test)
    return webhook.send(address, body, id=id, secret=secret, public_only=public_only)


def key(delivery: Delivery, changes: list[Change]) -> str:
    """The id of a message: the same for the same rule, changes and place, however often it is sent."""
    parts = [str(delivery.rule_id), delivery.channel.value, delivery.target, *(str(one.id) for one in changes)]
    return f"ntc_{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:32]}"


def send_due(stop: threading.Event) -> int:
    """Send messages that are due, some at most; answers how many were tried. What fails stops no other one."""
    tried = 0
    while tried < MOST_AT_ONCE and not stop.is_set():
        with database.transaction():
            one = store.claim(now=clock.now())
        if one is None:
            break
        deliver(one)
        tried += 1
    if not tried:
        _watch.look()
    return tried


class Outcome(Record, frozen=True):
    """What came of a try; ``later`` is how long to wait for the next, None where there is none."""

    status: Status
    error: str = ""
    answer: str = ""
    later: timedelta | None = None


def deliver(one: Delivery) -> Status:
    """Send a claimed message and write down what came of it; returns where it stands now."""
    rule, changes = store.find(one.rule_id), store.changes_of(one.id)
    if rule is None or not changes:
        outcome = Outcome(status=Status.DROPPED, error="Its rule or what it was about is gone.")
    else:
        outcome = _tried(one, rule, changes)
    with database.transaction():
        store.settle(
            one.id,
            outcome.status,
            due_at=None if outcome.later is None else clock.now() + outcome.later,
            error=outcome.error,
            answer=outcome.answer,
        )
    result = "later" if outcome.later is not None else outcome.status.value
    metrics.NOTICES.labels(channel=one.channel.value, result=result).inc()
    if outcome.status is Status.FAILED:
        log.warning("notice.set_aside", delivery=one.id, rule=one.rule_id, channel=one.channel.value)
        settle_alarm()
    return outcome.status


def _tried(one: Delivery, rule: Rule, changes: list[Change]) -> Outcome:
    try:
        said = post(rule, changes, id=key(one, changes))
    except Dropped as error:
        return Outcome(status=Status.DROPPED, error=error.message)
    except (MailRefused, SlackRefused, WebhookRefused) as error:
        return Outcome(status=Status.FAILED, error=_sentence(error), answer=error.words)
    except Refused as error:
        return Outcome(status=Status.FAILED, error=_sentence(error))
    except Unavailable as error:
        answer = error.words if isinstance(error, (MailUnavailable, SlackUnavailable, WebhookUnavailable)) else ""
        asked = error.retry_after if isinstance(error, (SlackUnavailable, WebhookUnavailable)) else 0
        last = one.attempts >= rules.MOST_ATTEMPTS
        return Outcome(
            status=Status.FAILED if last else Status.WAITING,
            error=_sentence(error),
            answer=answer,
            later=None if last else rules.delay(one.attempts, asked=asked),
        )
    return Outcome(status=Status.SENT, answer=said)


def _sentence(error: TrueupError) -> str:
    return f"{error.message} {error.hint}".strip()


def attempted(rule: Rule, changes: list[Change], *, id: str) -> Attempt:  # noqa: A002 - the header's word
    """Send a message now and tell what came of it; nothing is raised for what the other side says."""
    try:
        return Attempt(taken=True, words=post(rule, changes, id=id, test=True))
    except (MailRefused, SlackRefused, WebhookRefused) as error:
        return Attempt(taken=False, words=error.words)
    except (MailUnavailable, SlackUnavailable, WebhookUnavailable) as error:
        return Attempt(taken=False, words=error.words or error.message)
    except (Refused, Unavailable) as error:
        return Attempt(taken=False, words=_sentence(error))


def settle_alarm() -> None:
    """Let the alarm stand while messages are set aside, and end it when none is."""
    number = store.counts()[Status.FAILED]
    found = [
        Alarm(
            code="notices_undelivered",
            message=f"{number} notifications could not be delivered.",
            remedy="Open Settings, Notifications, Deliveries: it says why, and sends them again. docs/notifications.md",
        )
    ]
    alarms.settle(source=SOURCE, account_id=None, alarms=found if number else [])


class _Watch:
    """When this process last looked at what was set aside (by the monotonic clock)."""

    def __init__(self) -> None:
        self._due = 0.0

    def look(self) -> None:
        if clock.monotonic() >= self._due:
            self._due = clock.monotonic() + ALARM_AFTER
            settle_alarm()


_watch: Final = _Watch()
KEPT: Final = timedelta(days=90)
"""So long what changed and what was sent can be looked at."""
ERRAND: Final = Errand(name="notices", topic=TOPIC, run=send_due, threads=2, idle_seconds=5.0)
