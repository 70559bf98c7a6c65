"""A webhook takes signed messages, and what it says to them is told."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode

import pytest

from tests.audit.outside import Asked, listening
from trueup.connectors.webhook import client, signing
from trueup.connectors.webhook.errors import WebhookRefused, WebhookUnavailable
from trueup.connectors.webhook.signing import SecretInvalid
from trueup.runtime.outgoing import AddressPrivate

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def send(url: str, *, public_only: bool = False) -> str:
    return client.send(url, {"type": "test"}, id="msg_1", secret=SECRET, public_only=public_only)


def test_a_message_is_signed_as_the_standard_has_it() -> None:
    asked: list[Asked] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        asked.append(one)
        return 202, "text/plain", b"thanks\n"

    with listening(answering) as url:
        assert send(f"{url}/hook") == "202 thanks"

    ((path, headers, body),) = asked
    assert (path, json.loads(body), headers["webhook-id"]) == ("/hook", {"type": "test"}, "msg_1")
    signed = b"msg_1." + headers["webhook-timestamp"].encode() + b"." + body
    expected = b64encode(hmac.digest(b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_example_of_the_standard_has_the_signature_that_it_gives() -> None:
    told = signing.headers(
        b'{"test": 2432232314}', secret=SECRET, id="msg_p5jXN8AQM9LWM0D4loKWxJek", seconds=1614265330
    )

    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_answer_that_may_pass_is_tried_again(status: int) -> None:
    with listening(lambda _: (status, "text/plain", b"busy")) as url, pytest.raises(WebhookUnavailable) as caught:
        send(url)

    assert caught.value.words == f"{status} busy"


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_an_answer_that_will_stay_is_refused_and_no_redirect_is_followed(status: int) -> None:
    with listening(lambda _: (status, "text/plain", b"no\x00 \xff")) as url, pytest.raises(WebhookRefused) as caught:
        send(url)

    assert caught.value.words.startswith(f"{status} no")
    assert caught.value.words.isprintable()


def test_an_address_of_this_host_is_not_called_where_only_public_ones_are() -> None:
    asked: list[Asked] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        asked.append(one)
        return 200, "text/plain", b""

    with listening(answering) as url:
        for address in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")):
            with pytest.raises(AddressPrivate):
                send(address, public_only=True)

    assert asked == []


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "whsec_c2hvcnQ=", "whsec_" + "A" * 100])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(SecretInvalid):
        signing.key_of(secret)


def test_a_new_secret_is_one_and_another_each_time() -> None:
    assert len(signing.key_of(signing.new_secret())) == 24
    assert signing.new_secret() != signing.new_secret()
