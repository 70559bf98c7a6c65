"""Names, keys, secrets, access and addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.accounts import rules
from trueup.accounts.errors import ApiKeyInvalid, WebhookSecretInvalid
from trueup.accounts.types import Access
from trueup.kernel.errors import Refused

TEST_KEY = "rk_test_51Hx"
LIVE_KEY = "sk_live_51Hx"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("acme", "acme"),
        ("Acme Inc.", "acme-inc"),
        ("  --ACME__eu--  ", "acme-eu"),
        ("Åcme 2", "cme-2"),
        ("7", "7"),
        ("a" * 80, "a" * 63),
        ("a" * 62 + "--b", "a" * 62),
        ("acme/../x?y#z", "acme-x-y-z"),
    ],
)
def test_a_name_becomes_a_part_of_an_address(name: str, slug: str) -> None:
    assert rules.slug_of(name) == slug


@pytest.mark.parametrize("name", ["", "   ", "---", "ÅÖ", "日本"])
def test_a_name_that_leaves_nothing_for_the_address_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="leaves nothing for the webhook address") as refused:
        rules.slug_of(name)
    assert refused.value.code == "account_name_invalid"


@given(st.text(max_size=100))
def test_a_slug_is_short_plain_and_stays_what_it_is(name: str) -> None:
    try:
        slug = rules.slug_of(name)
    except Refused:
        return
    assert 1 <= len(slug) <= 63
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug.strip("-") == slug == rules.slug_of(slug)


@pytest.mark.parametrize(
    ("api_key", "flag", "known", "live"),
    [
        ("rk_test_1234", None, None, False),
        ("sk_test_1234", False, None, False),
        ("rk_live_1234", None, None, True),
        ("sk_live_1234", True, False, True),
        ("", None, None, False),
        ("", True, None, True),
        ("", False, True, False),
        ("", None, True, True),
        ("", None, False, False),
    ],
)
def test_the_mode_follows_the_key_then_the_flag_then_what_is_known(
    api_key: str, flag: bool | None, known: bool | None, live: bool
) -> None:
    assert rules.mode_of(api_key, livemode=flag, known=known) is live


@pytest.mark.parametrize(("api_key", "flag"), [(TEST_KEY, True), (LIVE_KEY, False)])
def test_a_flag_that_contradicts_the_key_is_refused(api_key: str, flag: bool) -> None:
    with pytest.raises(ApiKeyInvalid, match="the flag says otherwise") as refused:
        rules.mode_of(api_key, livemode=flag)
    assert api_key not in str(refused.value)


@pytest.mark.parametrize(
    "api_key", ["pk_test_1234", "rk_prod_1234", "whsec_1234", "rk_test_???", "rk_test_12 34", "rk_test_1234\n", "xyz"]
)
def test_what_is_no_key_is_refused_and_not_repeated(api_key: str) -> None:
    with pytest.raises(ApiKeyInvalid) as refused:
        rules.mode_of(api_key, livemode=None)
    assert api_key not in refused.value.message + refused.value.hint
    assert refused.value.code == "api_key_invalid"


def test_a_signing_secret_is_taken_without_the_blanks_of_a_paste() -> None:
    assert rules.check_secret("  whsec_AbC123+/=_-\n") == "whsec_AbC123+/=_-"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a b c d", "sk_test_1234", "WHSEC_1234", "whsec_" + "a" * 251])
def test_what_is_no_signing_secret_is_refused(secret: str) -> None:
    with pytest.raises(WebhookSecretInvalid, match="begins with whsec_"):
        rules.check_secret(secret)


def test_nothing_asked_means_watching() -> None:
    assert rules.access_of(None, has_api_key=True) is Access.WATCH
    assert rules.access_of(Access.WATCH, has_api_key=False) is Access.WATCH
    assert rules.access_of(Access.ACT, has_api_key=True) is Access.ACT


def test_acting_needs_a_key() -> None:
    with pytest.raises(Refused) as refused:
        rules.access_of(Access.ACT, has_api_key=False)
    assert refused.value.code == "api_key_missing"


@pytest.mark.parametrize(
    ("api_base", "api_key"),
    [
        (None, LIVE_KEY),
        ("", LIVE_KEY),
        ("https://stripe.example", LIVE_KEY),
        ("https://[::1]:12111/base", LIVE_KEY),
        ("http://127.0.0.1:12111", TEST_KEY),
    ],
)
def test_an_address_for_the_api_is_taken(api_base: str | None, api_key: str) -> None:
    rules.check_api_base(api_base, api_key=api_key)


@pytest.mark.parametrize(
    "api_base",
    [
        "stripe.example",
        "ftp://stripe.example",
        "https://",
        "https://[::1",
        "https://host:99999",
        "https://user:pass@host",
        "https://host?x=1",
        "https://host#x",
        "http://host:0",
    ],
)
def test_an_address_that_cannot_be_called_is_refused(api_base: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.check_api_base(api_base, api_key=TEST_KEY)
    assert refused.value.code == "api_base_invalid"


def test_a_live_key_does_not_travel_in_clear() -> None:
    with pytest.raises(Refused) as refused:
        rules.check_api_base("http://127.0.0.1:12111", api_key=LIVE_KEY)
    assert refused.value.code == "api_base_insecure"
