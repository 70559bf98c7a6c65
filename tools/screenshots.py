"""Pictures every page of the console into ``build/screenshots``: light, dark and at the width of a phone.

Uses the demo that runs at ``TRUEUP_HOST`` and ``TRUEUP_PORT``, or starts one and stops it afterwards; ``--url`` with
``--email`` and ``--password`` names any other instance. ``--readme`` also renews the picture in the README. Needs
Debian's ``chromium``. Look at the pictures afterwards: a test sees what is broken, only a person sees what is ugly.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "build" / "screenshots"
README_PICTURE: Final = ROOT / "docs" / "images" / "console.png"
CHROMIUM: Final = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class SignIn(NamedTuple):
    """Where the console is, and who looks."""

    url: str
    email: str
    password: str


class Look(NamedTuple):
    """How a page is looked at; ``name`` ends the file's name."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


LOOKS: Final = (
    Look("light", 1440, 900, "light"),
    Look("dark", 1440, 900, "dark"),
    Look("phone", 390, 844, "light"),
)


class Picture(NamedTuple):
    """One page: how to get there once signed in, and whether all of its height is wanted."""

    name: str
    path: str
    then: Callable[[Page], None] | None = None
    whole: bool = False


def _settled(page: Page) -> None:
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    page.wait_for_timeout(350)


def _open_why(page: Page) -> None:
    page.locator(".stats .why").first.click()
    page.locator("#drawer[open]").wait_for()


def _open_event(page: Page) -> None:
    page.locator("a[data-row]").nth(3).click()
    page.locator("#drawer[open]").wait_for()


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette-q").press_sequentially("a")
    page.locator("#hits .avatar").first.wait_for()


def _to_event_page(page: Page) -> None:
    page.goto(page.url.split("/events")[0] + str(page.locator("a[data-row]").nth(3).get_attribute("href")))


def _to_first_customer(page: Page) -> None:
    page.locator("a[data-row]").first.click()
    page.wait_for_url("**/customers/*")


def _to_first_why(page: Page) -> None:
    _to_first_customer(page)
    _open_why(page)


PICTURES: Final = (
    Picture("customers", "/customers"),
    Picture("customers-no-match", "/customers?q=nobody-has-this-name"),
    Picture("customer-active", "/customers?stage=active", _to_first_customer, whole=True),
    Picture("customer-past-due", "/customers?stage=past_due", _to_first_customer),
    Picture("customer-trialing", "/customers?stage=trialing", _to_first_customer),
    Picture("customer-why", "/customers?stage=active", _to_first_why),
    Picture("events", "/events"),
    Picture("event-drawer", "/events", _open_event),
    Picture("event", "/events", _to_event_page, whole=True),
    Picture("events-set-aside", "/events?state=set_aside"),
    Picture("quarantine", "/events/quarantine"),
    Picture("truth", "/truth", whole=True),
    Picture("differences", "/truth/differences"),
    Picture("search", "/search?q=a"),
    Picture("palette", "/customers", _open_palette),
    Picture("not-found", "/no-such-page"),
)


def picture_all(browser: Browser, who: SignIn) -> Iterator[Path]:
    """Take every picture in every look; gives each file as it is written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for look in LOOKS:
        context = browser.new_context(
            viewport={"width": look.width, "height": look.height},
            color_scheme=look.scheme,
            locale="en-US",
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(f"{who.url}/sign-in")
        yield _shoot(page, "sign-in", look)
        page.get_by_label("Email").fill(who.email)
        page.get_by_label("Password").fill(who.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/customers")
        for picture in PICTURES:
            page.goto(who.url + picture.path)
            if picture.then is not None:
                picture.then(page)
            yield _shoot(page, picture.name, look, whole=picture.whole)
        context.close()


def _shoot(page: Page, name: str, look: Look, *, whole: bool = False) -> Path:
    _settled(page)
    path = FOLDER / f"{name}-{look.name}.png"
    page.screenshot(path=path, full_page=whole)
    return path


@contextmanager
def demo() -> Iterator[SignIn]:
    """The demo at our address; one that had to be started ends with the block."""
    command = [sys.executable, "-m", "trueup.ops.main", "demo", "--no-trickle", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline() if process.stdout is not None else ""
        if not said:
            raise SystemExit("The demo did not start; its own words are above.")
        found = json.loads(said)
        yield SignIn(url=found["url"], email=found["email"], password=found["password"])
    finally:
        process.terminate()
        process.communicate()


def main(arguments: Sequence[str]) -> int:
    """Take the pictures; 0 when all were taken."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("--url", help="an instance that runs already, such as http://127.0.0.1:8000")
    parser.add_argument("--email")
    parser.add_argument("--password")
    parser.add_argument("--readme", action="store_true", help="renew docs/images/console.png as well")
    options = parser.parse_args(arguments)
    if not CHROMIUM.exists():
        print(f"There is no Chromium at {CHROMIUM}; install Debian's `chromium`, or name another with CHROMIUM.")
        return 1
    if options.url:
        return _take(
            SignIn(options.url.rstrip("/"), options.email or "", options.password or ""), readme=options.readme
        )
    with demo() as who:
        return _take(who, readme=options.readme)


def _take(who: SignIn, *, readme: bool) -> int:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        for path in picture_all(browser, who):
            print(path.relative_to(ROOT))
        browser.close()
    if readme:
        README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
        README_PICTURE.write_bytes((FOLDER / "customers-light.png").read_bytes())
        print(README_PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
