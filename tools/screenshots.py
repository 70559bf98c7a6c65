"""Pictures every page of the console into ``build/screenshots``: light, dark, in German and as wide as a phone.

Uses the demo that runs at ``TRUEUP_HOST`` and ``TRUEUP_PORT``, or starts one and stops it afterwards; ``--url`` with
``--email`` and ``--password`` names any other instance. ``--only`` takes the pictures whose name has a word in it,
``--readme`` also renews the picture in the README. ``index.html`` beside them is a contact sheet: all looks of a page
in a row. Needs Debian's ``chromium``. Look at the pictures afterwards: a test sees what is broken, only a person sees
what is ugly.
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

from tools import console_pages

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
    locale: str = "en-US"


LOOKS: Final = (
    Look("light", 1440, 900, "light"),
    Look("dark", 1440, 900, "dark"),
    Look("german", 1440, 900, "light", "de-DE"),
    Look("phone", 390, 844, "light"),
    Look("phone-german", 390, 844, "dark", "de-DE"),
)


class Picture(NamedTuple):
    """A page after somebody did something on it."""

    name: str
    path: str
    then: Callable[[Page], None]


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


def _choose_rows(page: Page) -> None:
    for place in (1, 2, 4):
        page.locator("input[data-pick]").nth(place).click()
    page.locator("#filters summary").first.click()


def _to_first_customer(page: Page) -> None:
    page.locator("a[data-row]").first.click()
    page.wait_for_url("**/customers/*")


def _to_tab(tab: int) -> Callable[[Page], None]:
    def then(page: Page) -> None:
        _to_first_customer(page)
        page.locator(".tabs a").nth(tab).click()
        page.wait_for_load_state()

    return then


def _to_object(page: Page) -> None:
    _to_tab(3)(page)
    page.locator("a.object").nth(1).click()
    page.locator("#drawer[open]").wait_for()


def _to_first_why(page: Page) -> None:
    _to_first_customer(page)
    _open_why(page)


PICTURES: Final = (
    Picture("customers-chosen", "/customers", _choose_rows),
    Picture("customer-why-drawer", "/customers?stage=active", _to_first_why),
    Picture("customer-object-drawer", "/customers?stage=active", _to_object),
    Picture("event-drawer", "/events", _open_event),
    Picture("palette", "/customers", _open_palette),
)
"""What a page shows after somebody did something; all that has an address of its own is in ``console_pages``."""


def picture_all(browser: Browser, who: SignIn, *, only: str = "") -> Iterator[Path]:
    """Take every picture in every look, or those whose name has ``only`` in it; gives each file as it is written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    places: dict[str, str] = {}
    for look in LOOKS:
        context = browser.new_context(
            viewport={"width": look.width, "height": look.height},
            color_scheme=look.scheme,
            locale=look.locale,
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(f"{who.url}/sign-in")
        yield _shoot(page, "sign-in", look)
        page.locator("input[type=email]").fill(who.email)
        page.locator("input[type=password]").fill(who.password)
        page.locator("form.form button").first.click()
        page.wait_for_url(f"{who.url}/")
        places = places or console_pages.found(page, who.url)
        for place, address in console_pages.addresses(places):
            if only in place.name:
                page.goto(who.url + address)
                yield _shoot(page, place.name, look, whole=place.whole)
        for picture in PICTURES:
            if only in picture.name:
                page.goto(who.url + picture.path)
                picture.then(page)
                yield _shoot(page, picture.name, look)
        context.close()


def _shoot(page: Page, name: str, look: Look, *, whole: bool = False) -> Path:
    _settled(page)
    path = FOLDER / f"{name}-{look.name}.png"
    page.screenshot(path=path, full_page=whole)
    return path


def contact_sheet() -> Path:
    """Write a page with all pictures that there are: a row for each page, a column for each look."""
    names = ["sign-in", *(place.name for place in console_pages.PAGES), *(picture.name for picture in PICTURES)]
    rows = []
    for name in names:
        cells = [
            f'<a href="{name}-{look.name}.png"><img loading="lazy" src="{name}-{look.name}.png" alt="{look.name}"'
            f' class="{"narrow" if look.width < 700 else "wide"}"></a>'
            for look in LOOKS
            if (FOLDER / f"{name}-{look.name}.png").exists()
        ]
        if cells:
            rows.append(f"<h2>{name}</h2><p>{''.join(cells)}</p>")
    sheet = FOLDER / "index.html"
    sheet.write_text(f"{_HEAD}{''.join(rows)}\n", encoding="utf-8")
    return sheet


_HEAD: Final = """<!doctype html><meta charset="utf-8"><title>Every page of the console</title>
<style>body{font:14px system-ui;margin:24px;background:#888} p{display:flex;gap:12px;align-items:start;margin:0 0 32px}
img{height:auto;display:block;box-shadow:0 1px 6px #0006}
.wide{width:560px} .narrow{width:240px} h2{margin:0 0 8px}</style>
"""


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
    parser.add_argument("--only", default="", help="take the pictures whose name has this in it")
    parser.add_argument("--readme", action="store_true", help="renew docs/images/console.png as well")
    options = parser.parse_args(arguments)
    if not CHROMIUM.exists():
        print(f"There is no Chromium at {CHROMIUM}; install Debian's `chromium`, or name another with CHROMIUM.")
        return 1
    if options.url:
        who = SignIn(options.url.rstrip("/"), options.email or "", options.password or "")
        return _take(who, only=options.only, readme=options.readme)
    with demo() as who:
        return _take(who, only=options.only, readme=options.readme)


def _take(who: SignIn, *, only: str, readme: bool) -> int:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        for path in picture_all(browser, who, only=only):
            print(path.relative_to(ROOT))
        browser.close()
    print(contact_sheet().relative_to(ROOT))
    if readme:
        README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
        README_PICTURE.write_bytes((FOLDER / "customers-light.png").read_bytes())
        print(README_PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
