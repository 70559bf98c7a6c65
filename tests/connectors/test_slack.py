"""Slack's incoming webhooks, as they answer."""

from __future__ import annotations

import json

import pytest

from tests.audit.outside import Asked, listening
from trueup.connectors.slack import client
from trueup.connectors.slack.errors import SlackRefused, SlackUnavailable


def test_a_message_is_taken() -> None:
    asked: list[Asked] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        asked.append(one)
        return 200, "text/html", b"ok"

    with listening(answering) as url:
        assert client.send(f"{url}/services/T/B/x", {"text": "Grüße"}, public_only=False) == "200 ok"

    assert json.loads(asked[0][2]) == {"text": "Grüße"}


def test_what_slack_refuses_is_told_in_its_words_and_with_what_to_do() -> None:
    with listening(lambda _: (404, "text/html", b"no_service")) as url, pytest.raises(SlackRefused) as caught:
        client.send(url, {"text": "x"}, public_only=False)

    assert (caught.value.words, caught.value.hint[:24]) == ("404 no_service", "The incoming webhook was")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with listening(lambda _: (status, "text/html", b"")) as url, pytest.raises(SlackUnavailable):
        client.send(url, {"text": "x"}, public_only=False)


def test_words_of_others_mention_nobody() -> None:
    assert client.escaped("<!channel> & <https://x|y>") == "&lt;!channel&gt; &amp; &lt;https://x|y&gt;"
