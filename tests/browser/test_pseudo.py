"""Every page in a language that does not exist: what is not marked for translation shows, and what is cut off as well.

A second web process on the same installation speaks it. Its catalogue is made on the fly from all texts that there are
(``tools.messages.pseudo``), so what stands on a page without a mark was never given to the catalogue.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from babel import Locale
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DRIFT, ContextMaker
from tests.browser.test_accessible import LINT, addresses, full_at
from tests.conftest import REPOSITORY
from tests.demo import Console
from tests.ports import free_port
from tools import messages

__all__ = ["full_at"]

pytestmark = pytest.mark.timeout(400)
"""Each walks all pages; a busy machine takes its time."""

UNMARKED = r"""(names) => {
  // What nobody translates: code, moments as Babel writes them, and what Stripe, people or programs called something.
  const data = 'code, pre, kbd, time, script, style, svg, datalist, [data-raw], .values td, .avatar, [lang]:not(html)';
  const found = new Set(), marked = /[⟦⟧]/, words = /[A-Za-z]{3}/, known = new Set(names);
  const moment = /^[A-Z][a-z]{2}( \d|$)|\bago$|^in \d/;
  const code = /[@/_=*]|\d{2}|[\w-]+\.[\w.-]+|^[A-Z]{3,5}$|^[A-Za-z0-9]{8}$/;
  const value = (text) => known.has(text) || code.test(text) || moment.test(text);
  const say = (what, text, e) => {
    text = (text ?? '').trim();
    text = text.replace(/ \([^)]*\)$/, '');
    // A type of Stripe's without a word of ours is called as Stripe calls it.
    if (e.tagName === 'OPTION' && e.value.replace(/[._]/g, ' ') === text) return;
    if (marked.test(text) || !words.test(text) || known.has(text) || text.split(/ · |, /).every(value)) return;
    const place = e.closest('[class]')?.className.toString().split(' ')[0] ?? '';
    found.add(`${what} in ${place || e.tagName}: ${text.slice(0, 80)}`);
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.parentElement.closest(data)) say('text', node.data, node.parentElement);
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
    if (e.closest(data)) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) say(name, e.getAttribute(name), e);
  }
  if (!document.querySelector('h1[lang]')) say('title', document.title.replace('· Trueup', ''), document.body);
  return [...found];
}"""
ALWAYS = {"Trueup", "Stripe", "demo", "Demo", "Deutsch", "English", "Pseudo", "root", "sequencer", "Europe", "ops"}
"""Names that are the same in every language, and those that the demo gives."""
ENGLISH = Locale("en")
NAMED = """
select name from customer_customer where name is not null
union select essence::jsonb ->> 'name' from mirror_object where object_type in ('product', 'coupon')
union select jsonb_path_query(essence::jsonb, '$.**.nickname') #>> '{}' from mirror_object
union select name from operators_operator
union select name from operators_apitoken
union select name from operators_ssoconnection
"""
"""What Stripe and people call things and each other, which nobody translates."""


@pytest.fixture(scope="module")
def strange(console: Console, session: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a web process that speaks the language."""
    locales = tmp_path_factory.mktemp("locales")
    (locales / "en_XA" / "LC_MESSAGES").mkdir(parents=True)
    catalogue = messages.compiled(messages.pseudo(messages.collected()))
    (locales / "en_XA" / "LC_MESSAGES" / "django.mo").write_bytes(catalogue)
    cookie = next(one["name"] for one in session["cookies"] if "session" in one["name"])
    port = free_port()
    env = console.environment | {
        "DJANGO_SETTINGS_MODULE": "tests.browser.pseudo_settings",
        "PSEUDO_LOCALES": str(locales),
        "PSEUDO_SESSION_COOKIE": cookie,
        "TRUEUP_PORT": str(port),
    }
    process = subprocess.Popen([sys.executable, "-m", "trueup.ops.main", "web"], cwd=REPOSITORY, env=env)
    try:
        _answering(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _answering(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own process
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the web process did not start; its words are above")


@pytest.fixture(scope="module")
def pages(browser: Browser, session: dict[str, Any], strange: str, full_at: str) -> Iterator[tuple[Page, list[str]]]:
    """A window in that language, and the addresses to walk."""
    options: dict[str, Any] = {"base_url": strange, "storage_state": session, "bypass_csp": True}
    context = browser.new_context(**options, locale="en-XA", reduced_motion="reduce")
    page = context.new_page()
    yield page, addresses(page, {}, full_at, DRIFT)
    context.close()


@pytest.mark.usefixtures("drifting")
def test_no_page_shows_a_text_that_was_not_marked_for_translation(
    pages: tuple[Page, list[str]], console: Console
) -> None:
    with psycopg.connect(console.database) as connection:
        named = {name for (name,) in connection.execute(NAMED) if name}
    # Countries and languages are named by Babel, in the language of the page where it knows it.
    names = sorted(ALWAYS | named | {*ENGLISH.territories.values(), *ENGLISH.languages.values()})
    page, places = pages
    wrong: dict[str, list[str]] = {}
    for address in places:
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == "en-xa"
        for text in page.evaluate(UNMARKED, names):
            wrong.setdefault(text, []).append(address)

    assert not wrong, "\n".join(f"{text}  ({found[0]})" for text, found in wrong.items())


@pytest.mark.usefixtures("drifting")
def test_every_page_has_room_for_longer_words(pages: tuple[Page, list[str]]) -> None:
    page, places = pages
    wrong = []
    for address in places:
        page.goto(address)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            # A table that is wider than its place can be scrolled; in a language that exists it has to fit.
            wrong += [f"{address} at {width}: {one}" for one in page.evaluate(LINT) if " px in " not in one]

    assert not wrong, "\n".join(wrong)


def test_every_page_fits_in_german(open_context: ContextMaker, full_at: str, drifting: str) -> None:
    page = open_context(locale="de-DE")
    wrong = []
    for address in addresses(page, {}, full_at, drifting):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == "de"
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate(LINT):
                # A busy machine may still be at it: what stays wrong is.
                page.wait_for_timeout(500)
                wrong += [f"{address} at {width}: {one}" for one in page.evaluate(LINT)]

    assert not wrong, "\n".join(wrong)
