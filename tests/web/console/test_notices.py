"""The pages of notifications: whose rules they show, what a form takes, and what stays secret."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from tests.web.console.conftest import PASSWORD
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.notices import service as notices
from trueup.notices.types import Channel, Draft, Kind, Pace
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import configuration, database, installation

BY = system("test")
URL = "http://127.0.0.1:9/services/T0/B0/xq7secret"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRUEUP_SECRET_KEY", "A" * 43 + "=")
    monkeypatch.setenv("TRUEUP_NOTICES_PRIVATE", "true")
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def somebody(*roles: Role, name: str = "mara") -> tuple[Person, Client]:
    made = operators.create_operator(email=f"{name}@acme.example", password=PASSWORD, name=name, roles=roles, by=BY)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=made.id))
    return made, client


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def sent(**more: str) -> dict[str, object]:
    given: dict[str, object] = {"name": "Owing", "kind": ["past_due", "unpaid"], "channel": "email", "zone": "UTC"}
    return given | {"pace": "daily", "hour": "7"} | more


def test_a_person_makes_changes_and_removes_a_rule(reader: Client) -> None:
    assert "You are told of nothing yet" in text(reader.get("/account/notifications"))

    answer = reader.post("/account/notifications/new", sent(at_least="1,50", only_mine="on"))

    assert (answer.status_code, answer["Location"]) == (302, "/account/notifications")
    (rule,) = notices.everything()
    assert (rule.pace, rule.hour, str(rule.at_least), rule.only_mine) == (Pace.DAILY, 7, "1.5000", True)
    assert rule.kinds == {Kind.PAST_DUE, Kind.UNPAID}
    page = text(reader.get(f"/account/notifications/{rule.id}"))
    assert 'value="1.5"' in page
    reader.post(
        f"/account/notifications/{rule.id}", sent(name="Owing much", quiet="on", quiet_from="22", quiet_until="7")
    )
    changed = notices.rule(rule.id)
    assert (changed.name, changed.quiet_from, changed.quiet_until, changed.at_least) == ("Owing much", 22, 7, None)
    reader.post(f"/account/notifications/{rule.id}/remove")
    assert notices.everything() == []


def test_rules_of_others_are_not_found(reader: Client) -> None:
    mara, hers = somebody(Role.SALES)
    hers.post("/account/notifications/new", sent())
    (rule,) = notices.rules(operator_id=mara.id)

    for address in (f"/account/notifications/{rule.id}", f"/settings/notifications/{rule.id}"):
        assert reader.get(address).status_code == 404
        assert reader.post(address, sent()).status_code == 404
    assert reader.post(f"/account/notifications/{rule.id}/remove").status_code == 404
    assert reader.post(f"/settings/notifications/{rule.id}/test").status_code == 404


def test_what_cannot_be_is_told_beside_the_form_with_what_was_written(reader: Client) -> None:
    answer = reader.post("/account/notifications/new", sent(name="", channel="slack", target="nowhere"))

    assert answer.status_code == 400
    assert 'role="alert"' in text(answer)
    assert 'value="nowhere"' in text(answer)


def test_what_is_no_amount_is_told_at_the_preview_and_stays_to_be_seen(reader: Client) -> None:
    answer = reader.post("/account/notifications/new", sent(do="preview", at_least="-5"))

    assert "That is no amount." in text(answer)
    assert 'value="-5"' in answer.content.decode()


def test_the_preview_for_a_program_is_what_a_program_is_sent(reader: Client) -> None:
    page = text(reader.post("/account/notifications/new", sent(do="preview", channel="webhook")))

    shown = json.loads(html.unescape(page.split('<pre class="json"', 1)[1].split(">", 1)[1].split("</pre>", 1)[0]))
    assert shown["type"] == "notices.changes"
    assert [change["kind"] for change in shown["changes"]] == ["past_due", "unpaid"]
    assert "frame-mail" not in page


def test_a_preview_saves_nothing_and_shows_the_message_in_light_and_dark(reader: Client) -> None:
    page = text(reader.post("/account/notifications/new", sent(do="preview")))

    assert 'class="notice light"' in page
    assert 'class="notice dark"' in page
    assert "Ada&#x27;s Engines" in page
    assert notices.everything() == []
    style = reader.get("/account/notifications/mail.css")
    assert (style["Content-Type"], ".notice-card" in text(style)) == ("text/css; charset=utf-8", True)


def test_the_team_s_rules_are_read_by_who_may_read_settings_and_changed_by_fewer(reader: Client) -> None:
    answer = reader.post("/settings/notifications/new", sent(channel="webhook", target=URL, name="Billing app"))
    assert "whsec_" in text(answer)
    _auditor, reads = somebody(Role.AUDITOR, name="audit")
    (rule,) = notices.rules()

    page = text(reads.get("/settings/notifications"))
    assert "Billing app" in page
    assert "New rule" not in page
    assert "xq7secret" not in page
    assert "xq7secret" not in text(reader.get(f"/settings/notifications/{rule.id}"))
    assert reads.post(f"/settings/notifications/{rule.id}", sent()).status_code == 403
    assert reads.post(f"/settings/notifications/{rule.id}/test").status_code == 403
    _mara, sales = somebody(Role.SALES)
    assert sales.get("/settings/notifications").status_code == 403


def test_a_test_says_why_it_was_not_taken(reader: Client) -> None:
    by = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
    draft = Draft(name="Nobody there", kinds=frozenset({Kind.PAST_DUE}), channel=Channel.SLACK, target=URL)
    rule = notices.save(draft=draft, operator_id=None, by=by).rule

    answer = reader.post(f"/settings/notifications/{rule.id}/test")

    assert answer.status_code == 400
    assert "127.0.0.1 did not answer (ConnectionRefusedError)" in text(answer)


def test_deliveries_are_shown_by_how_they_stand_a_page_at_a_time(reader: Client) -> None:
    world.connect()
    reader.post("/settings/notifications/new", sent(channel="slack", target=URL, name="Channel"))
    (rule,) = notices.rules()
    database.execute(
        'insert into notices_delivery (rule_id, "window", status, due_at, settled_at, error, answer)'
        " select %s, 'change ' || n, case when n %% 2 = 0 then 'failed' else 'sent' end, now(), now(),"
        " 'Slack answered with 404.', '404 no_service' from generate_series(1, 120) as n",
        (rule.id,),
    )

    page = text(reader.get("/settings/notifications/deliveries?status=failed"))

    assert page.count("Send again") == 50
    assert "404 no_service" in page
    following = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert text(reader.get(f"/settings/notifications/deliveries{following}")).count("Send again") == 10
    failed = notices.deliveries(limit=1, before=10_000_000)[0]
    again = reader.post(f"/settings/notifications/deliveries/{failed.id}/resend")
    assert again.status_code in {302, 409}
