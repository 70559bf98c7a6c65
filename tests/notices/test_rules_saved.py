"""Making rules: what may be in one, whose it is, and what stays secret."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notices.conftest import TESTER, Receiver, acting
from trueup.audit import service as audit
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden, TrueupError
from trueup.notices import service as notices
from trueup.notices.errors import RuleInvalid, RuleUnknown
from trueup.notices.types import Channel, Draft, Kind, Pace
from trueup.operators.types import Person
from trueup.runtime import configuration, database


def draft(**more: Any) -> Draft:
    return Draft(**{"name": "Owing", "kinds": frozenset({Kind.PAST_DUE}), "channel": Channel.EMAIL, **more})


@pytest.mark.parametrize(
    ("_case", "given"),
    [
        ("no name", {"name": " "}),
        ("nothing to be told of", {"kinds": frozenset()}),
        ("an hour that there is not", {"hour": 24}),
        ("a zone that there is not", {"zone": "Europe/Atlantis"}),
        ("quiet hours without an end", {"quiet_from": 22}),
        ("quiet hours of no length", {"quiet_from": 22, "quiet_until": 22}),
        ("a webhook of a person", {"channel": Channel.WEBHOOK, "target": "https://a.example/"}),
        ("nowhere", {"channel": Channel.SLACK}),
        ("no address", {"channel": Channel.SLACK, "target": "hooks.slack.com/services/T"}),
        ("an address with a user", {"channel": Channel.SLACK, "target": "https://a:b@hooks.slack.com/"}),
    ],
)
def test_a_rule_that_cannot_be_is_refused(anna: Person, _case: str, given: dict[str, Any]) -> None:
    with pytest.raises(RuleInvalid):
        notices.save(draft=draft(**given), operator_id=anna.id, by=acting(anna))

    assert notices.everything() == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://localhost/x", "https://10.1.2.3/", "https://[::1]/", "http://1.1.1.1/"]
)
def test_addresses_of_private_networks_are_refused_unless_they_are_allowed(
    owner: Person, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TRUEUP_NOTICES_PRIVATE", "false")
    configuration.current.cache_clear()
    given = draft(channel=Channel.WEBHOOK, target=url)

    with pytest.raises(RuleInvalid):
        notices.save(draft=given, operator_id=None, by=acting(owner))

    monkeypatch.setenv("TRUEUP_NOTICES_PRIVATE", "true")
    configuration.current.cache_clear()
    assert notices.save(draft=given, operator_id=None, by=acting(owner)).secret.startswith("whsec_")


def test_nobody_makes_rules_for_others_and_the_team_needs_a_permission(anna: Person, owner: Person) -> None:
    team = draft(target="team@acme.example")
    role = Actor(kind=ActorKind.ROLE, id="sales", behind=acting(owner))

    for by, whose in ((acting(anna), owner.id), (acting(owner), anna.id), (acting(anna), None), (role, owner.id)):
        with pytest.raises(Forbidden):
            notices.save(draft=team, operator_id=whose, by=by)

    assert notices.save(draft=team, operator_id=None, by=acting(owner)).rule.target == "team@acme.example"
    mine = notices.save(draft=draft(), operator_id=anna.id, by=acting(anna)).rule
    with pytest.raises(Forbidden):
        notices.remove(rule_id=mine.id, by=acting(owner))
    with pytest.raises(RuleUnknown):
        notices.save(draft=team, operator_id=None, rule_id=mine.id, by=acting(owner))


def test_an_address_is_sealed_kept_and_never_told(owner: Person, receiver: Receiver) -> None:
    by = acting(owner)
    made = notices.save(draft=draft(channel=Channel.SLACK, target=receiver.url), operator_id=None, by=by).rule

    kept = notices.save(
        draft=draft(channel=Channel.SLACK, name="Renamed", pace=Pace.HOURLY), operator_id=None, rule_id=made.id, by=by
    ).rule

    assert (kept.target, kept.name) == ("127.0.0.1", "Renamed")
    assert notices.test(rule_id=made.id, by=by).words == "200 ok"
    assert receiver.asked[0][0] == "/services/T0/B0/secret"
    written = database.execute("select to_jsonb(r)::text from notices_rule r").fetchall()
    assert "secret" not in written[0][0].replace('"secret"', "")
    entries = audit.entries(database.connection(), limit=10)
    assert "services" not in repr(entries)
    assert [one.action for one in entries[:3]] == ["notices.rule.tested", "notices.rule.saved", "notices.rule.saved"]


def test_a_test_says_what_the_receiver_said(owner: Person, receiver: Receiver) -> None:
    given = draft(channel=Channel.SLACK, target=receiver.url)
    made = notices.save(draft=given, operator_id=None, by=acting(owner)).rule
    receiver.answers = [(403, b"action_prohibited")]

    attempt = notices.test(rule_id=made.id, by=acting(owner))

    assert (attempt.taken, attempt.words) == (False, "403 action_prohibited")


def test_a_rule_that_is_removed_leads_nowhere(owner: Person, receiver: Receiver) -> None:
    given = draft(channel=Channel.SLACK, target=receiver.url)
    made = notices.save(draft=given, operator_id=None, by=acting(owner)).rule

    notices.remove(rule_id=made.id, by=acting(owner))

    assert notices.rules() == []
    assert database.execute("select address from notices_rule").fetchall() == [(None,)]
    with pytest.raises(RuleUnknown):
        notices.test(rule_id=made.id, by=TESTER)


def test_a_mail_without_a_server_is_told_as_that(
    owner: Person, monkeypatch: pytest.MonkeyPatch, configured: None
) -> None:
    monkeypatch.delenv("TRUEUP_SMTP_URL")
    configuration.current.cache_clear()
    made = notices.save(draft=draft(target="t@acme.example"), operator_id=None, by=acting(owner)).rule

    attempt = notices.test(rule_id=made.id, by=acting(owner))

    assert attempt.taken is False
    assert "TRUEUP_SMTP_URL" in attempt.words
    assert issubclass(RuleInvalid, TrueupError)
