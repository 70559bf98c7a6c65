"""Signing in, finding a customer, and finding the way back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import ContextMaker, sign_in
from tests.demo import Console


def rows(page: Page) -> int:
    return page.locator("#list tbody tr").count()


def test_a_person_signs_in_and_out_and_ends_where_they_wanted_to_go(
    open_context: ContextMaker, console: Console
) -> None:
    page = open_context(signed_in=False)
    page.goto("/events?state=folded")
    expect(page).to_have_url(re.compile("/sign-in"))

    page.get_by_label("Email").fill(console.email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    expect(page.get_by_label("Email")).to_have_value(console.email)
    open_context.forgive("422")

    page.get_by_label("Password").fill(console.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{console.url}/events?state=folded")

    page.get_by_role("button", name="You and your preferences").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{console.url}/sign-in")
    page.goto("/customers")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_a_session_that_ends_meanwhile_leads_to_sign_in_and_back(open_context: ContextMaker, console: Console) -> None:
    page = open_context(signed_in=False)
    sign_in(page, console)
    page.goto("/customers")
    page.context.clear_cookies()

    page.get_by_role("link", name=re.compile("^Active")).click()

    expect(page).to_have_url(re.compile(r"/sign-in\?next=/customers"))
    open_context.forgive("401")


def test_a_stage_and_a_search_are_in_the_address_and_back_undoes_them(page: Page, console: Console) -> None:
    page.goto("/customers")
    everybody = rows(page)

    page.get_by_role("link", name=re.compile("^Active")).click()
    expect(page).to_have_url(f"{console.url}/customers?stage=active")
    expect(page.locator(".tabs [aria-current]")).to_contain_text("Active")
    expect(page.locator("#list tbody .chip").first).to_have_text("Active")
    active = rows(page)

    name = page.locator("a[data-row]").nth(2).inner_text()
    field = page.get_by_label("Search customers")
    field.press_sequentially(name.split()[0], delay=20)
    expect(page).to_have_url(re.compile(r"stage=active.*q=|q=.*stage=active"))
    expect(page.locator("a[data-row]").first).to_contain_text(name.split()[0])
    expect(field).to_be_focused()
    assert rows(page) < active

    page.go_back()
    expect(page).to_have_url(f"{console.url}/customers?stage=active")
    expect(page.locator("#list tbody tr")).to_have_count(active)
    expect(page.get_by_label("Search customers")).to_have_value("")

    page.go_back()
    expect(page).to_have_url(f"{console.url}/customers")
    expect(page.locator("#list tbody tr")).to_have_count(everybody)


def test_a_reload_and_a_copied_address_show_the_same(page: Page, open_context: ContextMaker) -> None:
    page.goto("/customers")
    page.get_by_role("link", name="Customer", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Customer")
    names = page.locator("a[data-row]").all_inner_texts()
    assert names == sorted(names, key=str.casefold)

    other = open_context()
    other.goto(page.url)

    assert other.locator("a[data-row]").all_inner_texts() == names


def test_the_next_page_continues_and_the_first_is_one_click_away(page: Page) -> None:
    # Two customers of the demo share their name, so that it is the address which tells rows apart.
    addresses = "rows => rows.map(row => row.getAttribute('href'))"
    page.goto("/customers?sort=name")
    links = page.locator("a[data-row]")
    first = links.evaluate_all(addresses)
    assert len(first) == 50

    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("51\N{EN DASH}")
    second = links.evaluate_all(addresses)
    assert second
    assert set(first).isdisjoint(second)

    page.get_by_role("link", name="First").click()
    expect(links.first).to_have_attribute("href", first[0])
    assert links.evaluate_all(addresses) == first


def test_the_keyboard_finds_opens_and_goes_places(page: Page, console: Console) -> None:
    page.goto("/customers?sort=name")
    names = page.locator("a[data-row]").all_inner_texts()

    page.keyboard.press("/")
    expect(page.get_by_label("Search customers")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("a[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(names[1])

    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(f"{console.url}/events")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(f"{console.url}/customers")


def test_single_keys_can_be_turned_off(page: Page) -> None:
    page.goto("/customers")
    page.get_by_role("button", name="You and your preferences").click()
    page.get_by_role("button", name="Single-key shortcuts").click()
    page.keyboard.press("Escape")

    page.keyboard.press("j")
    page.keyboard.press("/")

    assert page.evaluate("document.activeElement.matches('a[data-row], input')") is False
    page.reload()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('input')") is False


def test_the_palette_takes_a_name_or_an_id_and_opens_it(page: Page) -> None:
    page.goto("/customers")
    name = page.locator("a[data-row]").nth(3).inner_text()

    page.keyboard.press("Control+k")
    field = page.locator("#palette-q")
    expect(field).to_be_focused()
    field.press_sequentially(name, delay=5)
    expect(page.locator("#hits a.hit").first).to_contain_text(name)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#hits a.hit").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    id_ = page.locator(".ident .copy code").inner_text()

    page.keyboard.press("Control+k")
    page.locator("#palette-q").fill(id_)
    expect(page.locator("#hits a.hit").first).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).not_to_be_visible()


def test_colors_and_density_stay_as_chosen_without_a_flash(page: Page) -> None:
    page.goto("/customers")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    height = page.locator("#list tbody tr").first.bounding_box()
    page.get_by_role("button", name="Dark colors").first.click()
    page.get_by_role("button", name="Compact rows").first.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before

    page.reload()

    assert page.locator("html").get_attribute("data-theme") == "dark"
    compact = page.locator("#list tbody tr").first.bounding_box()
    assert height is not None
    assert compact is not None
    assert compact["height"] < height["height"]


def test_a_question_mark_opens_the_help_of_the_keys_and_each_leads_where_it_says(page: Page) -> None:
    page.goto("/customers")
    page.keyboard.press("?")
    drawer = page.get_by_role("dialog", name="Keyboard")
    expect(drawer).to_contain_text("Next row or entry")
    places = drawer.locator("dl.keys").last.locator("div")
    told = [(one.split()[1], " ".join(one.split()[2:])) for one in places.all_inner_texts()]
    assert len(told) >= 10
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()

    for key, _label in told[:3]:
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.locator(f'.side a[data-key="{key}"]')).to_have_attribute("aria-current", "page")
        # Keys count once the page's script is there.
        page.wait_for_load_state()

    page.goto("/help/keyboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Keyboard")
